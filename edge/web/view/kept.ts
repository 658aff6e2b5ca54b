import { effect, type Signal, signal } from '@preact/signals';

/** A choice that this browser remembers. */
export function kept(key: string, initial: string): Signal<string> {
  const chosen = signal(localStorage.getItem(key) ?? initial);
  effect(() => localStorage.setItem(key, chosen.value));
  return chosen;
}
