/** Short notices at the edge of the page, with one thing to do about each. */
import { signal } from '@preact/signals';

export interface Notice {
  id: number;
  text: string;
  action: { label: string; run: () => void } | undefined;
}

export const notices = signal<readonly Notice[]>([]);
const SHOWN_MS = 6000;
let nextId = 0;

export function notify(text: string, action?: Notice['action']): void {
  const notice = { id: nextId++, text, action };
  // The same words twice say no more than once.
  notices.value = [...notices.value.filter((other) => other.text !== text), notice];
  setTimeout(() => dismiss(notice.id), SHOWN_MS);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}
