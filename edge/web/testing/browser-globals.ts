/** What the page's logic uses of a browser, in Node: import this first, for its effect. */
import { vi } from 'vitest';

class MemoryStorage implements Storage {
  readonly #items = new Map<string, string>();
  /** Set to let writes fail as a full storage does. */
  isFull = false;

  get length(): number {
    return this.#items.size;
  }
  key(index: number): string | null {
    return [...this.#items.keys()][index] ?? null;
  }
  getItem(name: string): string | null {
    return this.#items.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    if (this.isFull) throw new DOMException('full', 'QuotaExceededError');
    this.#items.set(name, value);
  }
  removeItem(name: string): void {
    this.#items.delete(name);
  }
  clear(): void {
    this.#items.clear();
  }
}

class FakeDocument extends EventTarget {
  hidden = false;
  visibilityState: DocumentVisibilityState = 'visible';
  readonly documentElement: { lang: string; dataset: Record<string, string> } = { lang: '', dataset: {} };
}

const frames = new Map<number, () => void>();
let nextFrameId = 1;

/** The window's own events, and what a test changes of the rest. */
export const browser = {
  window: new EventTarget(),
  document: new FakeDocument(),
  navigator: { onLine: true, languages: ['en-GB'] },
  localStorage: new MemoryStorage(),
  sessionStorage: new MemoryStorage(),
  location: new URL('https://chat.test/'),
  get waitingFrames(): number {
    return frames.size;
  },
  drawFrame(): void {
    const due = [...frames.values()];
    frames.clear();
    for (const draw of due) draw();
  },
};

vi.stubGlobal('document', browser.document);
vi.stubGlobal('navigator', browser.navigator);
vi.stubGlobal('localStorage', browser.localStorage);
vi.stubGlobal('sessionStorage', browser.sessionStorage);
vi.stubGlobal('location', browser.location);
vi.stubGlobal('addEventListener', browser.window.addEventListener.bind(browser.window));
vi.stubGlobal('requestAnimationFrame', (draw: () => void) => {
  frames.set(nextFrameId, draw);
  return nextFrameId++;
});
vi.stubGlobal('cancelAnimationFrame', (id: number) => void frames.delete(id));
