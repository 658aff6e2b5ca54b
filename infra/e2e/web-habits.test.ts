/** The chat page in a real browser: a person's habits, needs and languages. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { violations } from './axe.ts';
import {
  answers,
  ask,
  CHROMIUM,
  enter,
  lastAnswer,
  questions,
  sizes,
  startVisited,
  untilComplete,
  type VisitedSystem,
  visit,
} from './browser.ts';
import { chunk, openStream, say } from './scripted-upstream.ts';
import { lacks } from './services.ts';
import type { System } from './system.ts';

describe.skipIf(lacks(CHROMIUM))('the habits of a person', () => {
  let visited: VisitedSystem;
  let system: System;
  let browser: Browser;
  beforeAll(async () => {
    visited = await startVisited();
    ({ system, browser } = visited);
  });
  afterAll(async () => {
    await visited?.stop();
  });
  beforeEach(() => {
    system.upstream.calls.length = 0;
    system.upstream.behave(say('Hello from the model.'));
  });
  const box = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });

  test("an input method's Enter sends nothing, Shift+Enter breaks the line, Enter sends", async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    await box(page).click();
    // A real composition, as the browser makes one of an input method's calls.
    const session = await page.context().newCDPSession(page);
    await session.send('Input.imeSetComposition', { text: 'ni hao', selectionStart: 6, selectionEnd: 6 });
    await session.send('Input.dispatchKeyEvent', {
      type: 'rawKeyDown',
      key: 'Process',
      windowsVirtualKeyCode: 229,
    });
    await box(page).dispatchEvent('keydown', { key: 'Enter', isComposing: true });
    await box(page).dispatchEvent('keydown', { key: 'Enter', keyCode: 229 });
    expect(await questions(page).count()).toBe(0);
    await session.send('Input.insertText', { text: '你好' });
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('second');
    expect(await box(page).inputValue()).toBe('你好\nsecond');
    await page.keyboard.press('Enter');
    await untilComplete(page);
    expect(system.upstream.calls[0]?.body.messages.at(-1)?.content).toBe('你好\nsecond');
    // In the search, Enter opens the first chat, and an input method's does not.
    await page.keyboard.press('Control+k');
    await page.keyboard.type('你好');
    await page.getByRole('searchbox').dispatchEvent('keydown', { key: 'Escape', isComposing: true });
    expect(await page.getByRole('searchbox').inputValue()).toBe('你好');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('everything is done with the keyboard alone', async () => {
    const { page, faults } = await visit(browser);
    await page.goto(system.address);
    await page.getByRole('button', { name: 'Continue as guest' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await box(page).waitFor();
    // The cursor is where one writes.
    await expect.poll(() => box(page).evaluate((element) => element === document.activeElement)).toBe(true);
    await page.keyboard.type('Hello');
    await page.keyboard.press('Enter');
    await untilComplete(page);
    // Backwards from the box to the answer's buttons.
    const focused = () =>
      page.evaluate(
        () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '',
      );
    const reach = async (name: string, key = 'Shift+Tab') => {
      for (let steps = 0; steps < 40 && !(await focused()).startsWith(name); steps++)
        await page.keyboard.press(key);
      expect(await focused()).toContain(name);
    };
    await reach('Answer again');
    await page.keyboard.press('Enter');
    await answers(page).getByRole('group', { name: 'Version 2 of 2' }).waitFor();
    await untilComplete(page);
    await reach('Model');
    await page.keyboard.press('Enter');
    await expect.poll(focused).toMatch(/^Auto/);
    await page.keyboard.press('ArrowDown');
    const second = await focused();
    expect(second).not.toContain('Auto');
    await page.keyboard.press('Escape');
    await expect.poll(focused).toContain('Model');
    await reach('More for Hello');
    await page.keyboard.press('Enter');
    await expect.poll(focused).toContain('Rename');
    await page.keyboard.press('End');
    await expect.poll(focused).toContain('Delete');
    await page.keyboard.press('Enter');
    await page.getByText('Chat deleted').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('the first Tab leads past the list, to the box', async () => {
    const { page } = await visit(browser);
    await enter({ page }, system);
    // As after a load, before anything was touched.
    await page.evaluate(() => {
      document.body.tabIndex = -1;
      document.body.focus();
    });
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await box(page).evaluate((element) => element === document.activeElement)).toBe(true);
    await page.context().close();
  });

  test('Escape stops; the status tells, and the text itself is no live region', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    system.upstream.behave(say('word '.repeat(300), { paceMs: 10 }));
    await ask(page, 'Talk');
    await answers(page).getByText('word word').waitFor();
    expect(await page.getByTestId('status').textContent()).toBe('Generating');
    expect(
      await answers(page).evaluate((element) =>
        element.closest('[aria-live], [role="log"], [role="status"]'),
      ),
    ).toBeNull();
    await page.keyboard.press('Escape');
    await answers(page).getByText('Stopped').waitFor();
    await untilComplete(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('what is shown follows the answer only while the reader is at its end', async () => {
    const { page, faults } = await visit(browser, sizes.phone);
    await enter({ page }, system);
    system.upstream.behave(async (_call, answer) => {
      openStream(answer);
      for (let line = 0; line < 90; line++) {
        answer.write(chunk({ content: `Line ${line} of the answer.\n\n` }));
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
      answer.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
    await ask(page, 'Talk');
    const scroller = page.locator('.messages');
    const place = () =>
      scroller.evaluate((element) => ({
        top: element.scrollTop,
        left: element.scrollHeight - element.scrollTop - element.clientHeight,
      }));
    await answers(page).getByText('Line 30').waitFor();
    expect((await place()).left).toBeLessThan(60);
    await scroller.hover();
    await page.mouse.wheel(0, -400);
    await page.getByRole('button', { name: 'To the newest message' }).waitFor();
    const { top } = await place();
    await answers(page).getByText('Line 60').waitFor({ state: 'attached' });
    expect((await place()).top).toBe(top);
    await page.getByRole('button', { name: 'To the newest message' }).click();
    await untilComplete(page);
    await expect.poll(async () => (await place()).left).toBeLessThan(2);
    await answers(page).getByText('Line 89').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('the model is chosen, and the line under the answer says which one it was', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    await page.getByRole('button', { name: 'Model:' }).click();
    await page.getByRole('menuitemradio', { name: 'scripted-1' }).click();
    await ask(page, 'Hello');
    await untilComplete(page);
    const line = answers(page).locator('.details');
    await expect.poll(() => line.textContent()).toMatch(/scripted-1.*core.*11 \+ 7 tokens.*first word \d/);
    await page.reload();
    await expect
      .poll(() => page.getByRole('button', { name: 'Model:' }).textContent())
      .toContain('scripted-1');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test.each([
    ['a token', async () => system.token({ sub: 'zoe' })],
    ['a token with its scheme', async () => `Bearer ${await system.token({ sub: 'zoe' })}`],
  ])('who holds %s signs in with it, and a wrong one is refused in words', async (_what, token) => {
    const { page } = await visit(browser);
    await page.goto(system.address);
    await page.getByRole('button', { name: 'I have a token' }).click();
    await page.getByLabel('Token or API key').fill('nonsense');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Token or API key').fill(await token());
    await page.keyboard.press('Enter');
    await box(page).waitFor();
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByText('zoe').first().waitFor();
    await page.context().close();
  });

  test('a token that ends in the middle is renewed, and nobody notices', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    await ask(page, 'One');
    await untilComplete(page);
    const before = await page.evaluate(() => {
      const account = JSON.parse(sessionStorage.getItem('edgewise.account') ?? '');
      sessionStorage.setItem(
        'edgewise.account',
        JSON.stringify({ ...account, expiresAtMs: Date.now() + 1000 }),
      );
      return account.accessToken as string;
    });
    await page.reload();
    await ask(page, 'Two');
    await expect.poll(() => answers(page).count()).toBe(2);
    await untilComplete(page);
    const after = await page.evaluate(() => JSON.parse(sessionStorage.getItem('edgewise.account') ?? ''));
    expect(after.accessToken).not.toBe(before);
    expect(after.expiresAtMs).toBeGreaterThan(Date.now() + 60_000);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('a reader of Chinese finds Chinese, and may choose', async () => {
    const { page, faults } = await visit(browser, { ...sizes.phone, locale: 'zh-CN' });
    await page.goto(system.address);
    await page.getByRole('button', { name: '以访客身份继续' }).click();
    await page.getByRole('heading', { name: '想了解点什么？' }).waitFor();
    expect(await page.getAttribute('html', 'lang')).toBe('zh-CN');
    await page.getByRole('button', { name: '显示对话列表' }).click();
    await page.getByRole('button', { name: '设置' }).click();
    await page.getByRole('menuitemradio', { name: 'English' }).click();
    await page.getByRole('button', { name: 'Hide chats' }).click();
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor();
    expect(await page.getAttribute('html', 'lang')).toBe('en');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('it can be put on a home screen', async () => {
    const { page } = await visit(browser);
    await page.goto(system.address);
    const session = await page.context().newCDPSession(page);
    const { errors, url } = (await session.send('Page.getAppManifest')) as { errors: unknown[]; url: string };
    expect(url).toBe(`${system.address}/manifest.webmanifest`);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  const rich =
    '## Steps\n\n1. One\n2. Two\n\n```ts\nconst answer = 42; // why not\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[link](https://example.com/) and $x^2$ and `code`.\n\n> said\n';
  const richAnswer = () =>
    system.upstream.behave((_call, answer) => {
      openStream(answer);
      answer.end(`${chunk({ content: rich })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    });

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    test.each(Object.entries(sizes))('axe finds nothing wrong on a %s', async (name, size) => {
      const { page, faults } = await visit(browser, { ...size, colorScheme });
      await page.goto(system.address);
      await page.getByRole('button', { name: 'I have a token' }).click();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Continue as guest' }).click();
      await box(page).waitFor();
      expect(await violations(page)).toEqual([]);
      richAnswer();
      await ask(page, 'Show me');
      await untilComplete(page);
      await answers(page).locator('.hljs-keyword').waitFor();
      await answers(page).locator('.katex').waitFor();
      await answers(page).getByRole('button', { name: 'Answer again' }).click();
      await answers(page).getByRole('group', { name: 'Version 2 of 2' }).waitFor();
      await untilComplete(page);
      await answers(page).locator('.hljs-keyword').waitFor();
      expect(await violations(page)).toEqual([]);
      if (name === 'phone') await page.getByRole('button', { name: 'Show chats' }).click();
      await page.getByRole('button', { name: 'More for Show me' }).click();
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Settings' }).click();
      expect(await violations(page)).toEqual([]);
      expect(faults).toEqual([]);
      await page.context().close();
    });
  });

  test('320 pixels are enough', async () => {
    const { page, faults } = await visit(browser, {
      viewport: { width: 320, height: 568 },
      hasTouch: true,
      isMobile: true,
    });
    await enter({ page }, system);
    richAnswer();
    await ask(page, `A${'very'.repeat(40)}long word`);
    await untilComplete(page);
    const isWide = () =>
      page.evaluate(
        () =>
          document.documentElement.scrollWidth > innerWidth ||
          (document.querySelector('.messages')?.scrollWidth ?? 0) >
            (document.querySelector('.messages')?.clientWidth ?? 0),
      );
    expect(await isWide()).toBe(false);
    for (const button of await page.getByRole('button').all()) {
      const frame = await button.boundingBox();
      if (frame && (await button.isVisible())) expect(frame.x + frame.width).toBeLessThanOrEqual(321);
    }
    // The keyboard on the screen leaves little; the box stays in sight.
    await page.setViewportSize({ width: 320, height: 300 });
    const frame = await box(page).boundingBox();
    expect((frame?.y ?? 0) + (frame?.height ?? 999)).toBeLessThanOrEqual(300);
    expect(await lastAnswer(page)).toContain('Steps');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('who wants less motion gets none', async () => {
    const { page } = await visit(browser, { ...sizes.desktop, reducedMotion: 'reduce' });
    await enter({ page }, system);
    system.upstream.behave(async (_call, answer) => {
      openStream(answer);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      answer.end(`${chunk({ content: 'x' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
    await ask(page, 'Wait');
    await page.locator('.thinking').waitFor();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(
      await page.evaluate(
        () => document.getAnimations().filter(({ playState }) => playState === 'running').length,
      ),
    ).toBe(0);
    await page.context().close();
  });
});
