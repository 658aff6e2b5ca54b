import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { browser } from '../testing/browser-globals.ts';
import { en } from './en.ts';
import { zh } from './zh.ts';

beforeEach(() => vi.resetModules());
afterEach(() => {
  browser.localStorage.clear();
  browser.navigator.languages = ['en-GB'];
});
const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort();

test('both languages say the same things with the same values', () => {
  expect(Object.keys(zh)).toEqual(Object.keys(en));
  for (const key of Object.keys(en) as (keyof typeof en)[])
    expect([key, placeholders(zh[key])]).toEqual([key, placeholders(en[key])]);
});

describe('the language', () => {
  test.each([
    [['en-GB'], 'en'],
    [['zh-CN', 'en'], 'zh'],
    [['zh'], 'zh'],
    [['fr', 'zh-TW'], 'zh'],
    [['en', 'zh'], 'en'],
    [['fr'], 'en'],
    [['zhu'], 'en'],
    [[], 'en'],
  ])('of a browser that wants %j is %s', async (languages, wanted) => {
    browser.navigator.languages = languages;
    const { locale } = await import('./words.ts');
    expect(locale.value).toBe(wanted);
  });

  test('that was chosen goes before the browser’s, and stays', async () => {
    const first = await import('./words.ts');
    expect([first.t('send'), browser.document.documentElement.lang]).toEqual(['Send', 'en']);
    first.chooseLocale('zh');
    expect([first.t('send'), browser.document.documentElement.lang]).toEqual([zh.send, 'zh-CN']);
    vi.resetModules();
    expect((await import('./words.ts')).locale.value).toBe('zh');
  });
});

test('a text takes its values in', async () => {
  const { t, toNumber } = await import('./words.ts');
  expect(t('tooLarge', { name: 'a.pdf' })).toBe('a.pdf is too large.');
  expect(toNumber(1234567)).toBe('1,234,567');
});
