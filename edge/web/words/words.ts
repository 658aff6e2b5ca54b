/** The page's words in the reader's language. */
import { effect, type Signal, signal } from '@preact/signals';
import rosetta from 'rosetta';
import { en, type Words } from './en.ts';
import { zh } from './zh.ts';

export type Locale = 'en' | 'zh';
export const locales: readonly { id: Locale; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'zh', name: '中文' },
];

const KEY = 'edgewise.locale';

export const locale: Signal<Locale> = signal(initialLocale());

effect(() => {
  document.documentElement.lang = locale.value === 'zh' ? 'zh-CN' : 'en';
});

export function chooseLocale(next: Locale): void {
  localStorage.setItem(KEY, next);
  locale.value = next;
}

/** @returns what gives a text; reading it ties a component to the language */
export function createWords<Key extends string>(
  dictionary: Record<Locale, Record<Key, string>>,
): (key: Key, values?: Record<string, string | number>) => string {
  const words = rosetta<Record<Key, string>>(dictionary);
  return (key, values = {}) => words.t(key, values, locale.value);
}

export const t: (key: keyof Words, values?: Record<string, string | number>) => string = createWords({
  en,
  zh,
});

/** A number as the reader writes it. */
export function toNumber(value: number): string {
  return new Intl.NumberFormat(locale.value).format(value);
}

function initialLocale(): Locale {
  const stored = localStorage.getItem(KEY);
  if (stored === 'en' || stored === 'zh') return stored;
  return navigator.languages.some((name) => /^zh\b/i.test(name)) &&
    !/^en\b/i.test(navigator.languages[0] ?? '')
    ? 'zh'
    : 'en';
}
