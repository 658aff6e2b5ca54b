import { beforeEach, expect, test, vi } from 'vitest';
import { browser } from '../testing/browser-globals.ts';
import { kept } from './kept.ts';

beforeEach(() => browser.localStorage.clear());

test('a choice is there after a reload', () => {
  const choice = kept('edgewise.model', 'auto');
  expect(choice.value).toBe('auto');
  choice.value = 'fast';
  expect(kept('edgewise.model', 'auto').value).toBe('fast');
});

test('the theme stands on the page, and nothing where the system decides', async () => {
  vi.resetModules();
  const { theme } = await import('./theme.ts');
  const { dataset } = browser.document.documentElement;
  expect(dataset.theme).toBeUndefined();
  theme.value = 'dark';
  expect([dataset.theme, browser.localStorage.getItem('edgewise.theme')]).toEqual(['dark', 'dark']);
  theme.value = 'auto';
  expect(dataset).toEqual({});
});
