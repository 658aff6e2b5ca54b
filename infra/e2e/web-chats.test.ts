/** The chat page in a real browser: the list of the chats, and the branches of one. */
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  answers,
  ask,
  CHROMIUM,
  enter,
  questions,
  sizes,
  startVisited,
  untilComplete,
  type VisitedSystem,
  visit,
} from './browser.ts';
import { chunk, openStream, say, type UpstreamCall } from './scripted-upstream.ts';
import { lacks } from './services.ts';
import type { System } from './system.ts';

describe.skipIf(lacks(CHROMIUM))('the chats', () => {
  let visited: VisitedSystem;
  let system: System;
  let browser: Browser;
  beforeAll(async () => {
    visited = await startVisited({ env: { EDGEWISE_ARCHIVE: 'on' } });
    ({ system, browser } = visited);
  });
  afterAll(async () => {
    await visited?.stop();
  });
  beforeEach(() => {
    system.upstream.calls.length = 0;
    echo();
  });

  /** Each answer names its question and counts the calls. */
  function echo(): void {
    system.upstream.behave((call, answer) => {
      const asked = call.body.messages.at(-1)?.content;
      return say(`Answer ${system.upstream.calls.length} to: ${String(asked)}`)(call, answer);
    });
  }
  const list = (page: Page) => page.getByRole('navigation', { name: 'Chats' });
  const entry = (page: Page, title: string) => list(page).getByRole('link', { name: title });
  const more = (page: Page, title: string) => list(page).getByRole('button', { name: `More for ${title}` });
  async function chat(page: Page, text: string): Promise<void> {
    await ask(page, text);
    await answers(page).last().getByText(`to: ${text}`).waitFor();
    await untilComplete(page);
  }
  const questionsOf = (call: UpstreamCall | undefined) =>
    call?.body.messages.filter(({ role }) => role === 'user').map(({ content }) => content);

  test('are listed, found, opened and come back after a reload', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    await chat(page, 'About apples');
    await page.getByRole('button', { name: 'New chat' }).first().click();
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor();
    await chat(page, 'About pears');
    expect(await list(page).getByRole('link').allTextContents()).toEqual(['About pears', 'About apples']);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('apple');
    await expect.poll(() => list(page).getByRole('link').count()).toBe(1);
    await page.keyboard.press('Enter');
    await answers(page).getByText('to: About apples').waitFor();
    expect(await answers(page).count()).toBe(1);
    await page.reload();
    await answers(page).getByText('to: About apples').waitFor();
    await page.goBack();
    await answers(page).getByText('to: About pears').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('are found by what was said, and called alike on every device', async () => {
    const account = JSON.stringify({ kind: 'token', accessToken: await system.token({ sub: 'tina' }) });
    const device = async () => {
      const { page, faults } = await visit(browser);
      await page.addInitScript((kept) => sessionStorage.setItem('edgewise.account', kept), account);
      await page.goto(system.address);
      return { page, faults };
    };
    const one = await device();
    system.upstream.behave(say('The zebra is to: Which animal?'));
    await chat(one.page, 'Which animal?');
    await more(one.page, 'Which animal?').click();
    await one.page.getByRole('menuitem', { name: 'Rename' }).click();
    await one.page.getByRole('textbox', { name: 'Title of the chat' }).fill('Stripes');
    await one.page.keyboard.press('Enter');
    const two = await device();
    await expect
      .poll(
        async () => {
          await two.page.reload();
          await list(two.page).getByRole('link').first().waitFor();
          return list(two.page).getByRole('link').allTextContents();
        },
        { timeout: 20_000, interval: 500 },
      )
      .toEqual(['Stripes']);
    await two.page.getByRole('searchbox').fill('zebra');
    await expect.poll(() => list(two.page).getByRole('link').allTextContents()).toEqual(['Stripes']);
    await two.page.getByRole('searchbox').fill('giraffe');
    await two.page.getByText('No chat matches.').waitFor();
    expect([...one.faults, ...two.faults]).toEqual([]);
    await one.page.context().close();
    await two.page.context().close();
  });

  test('are renamed, where an input method may take Enter first', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    await chat(page, 'First');
    await more(page, 'First').click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    const editor = page.getByRole('textbox', { name: 'Title of the chat' });
    await editor.fill('苹果');
    await editor.dispatchEvent('keydown', { key: 'Enter', isComposing: true });
    await editor.dispatchEvent('keydown', { key: 'Enter', keyCode: 229 });
    expect(await editor.isVisible()).toBe(true);
    await editor.press('Enter');
    await entry(page, '苹果').waitFor();
    await page.reload();
    await entry(page, '苹果').waitFor();
    await expect.poll(() => page.title()).toBe('苹果 · Edgewise');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('are deleted when nobody wants them back', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    await chat(page, 'Stays');
    const remove = async () => {
      await more(page, 'Stays').click();
      await page.getByRole('menuitem', { name: 'Delete' }).click();
      await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor();
      expect(await entry(page, 'Stays').count()).toBe(0);
    };
    await remove();
    await page.getByRole('button', { name: 'Undo' }).click();
    await answers(page).getByText('to: Stays').waitFor();
    const token = await page.evaluate(
      () => JSON.parse(sessionStorage.getItem('edgewise.account') ?? '').accessToken,
    );
    const sessions = async () => {
      const response = await fetch(`${system.address}/v1/sessions`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return ((await response.json()) as { data: unknown[] }).data.length;
    };
    expect(await sessions()).toBe(1);
    await remove();
    // Who leaves has made up their mind.
    await page.goto('about:blank');
    await expect.poll(sessions).toBe(0);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('are exported as Markdown and as JSON', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    await chat(page, 'One');
    await chat(page, 'Two');
    const save = async (name: string) => {
      await more(page, 'One').click();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name }).click(),
      ]);
      return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
    };
    const markdown = await save('Export as Markdown');
    expect(markdown.name).toBe('One.md');
    expect(markdown.text).toBe(
      '# One\n\n## You\n\nOne\n\n## Answer\n\nAnswer 1 to: One\n\n## You\n\nTwo\n\n## Answer\n\nAnswer 2 to: Two\n',
    );
    const json = JSON.parse((await save('Export as JSON')).text);
    expect(json.messages.map(({ content }: { content: string }) => content)).toHaveLength(4);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test.each(Object.entries(sizes))(
    'an answer is given again, and both stay, on a %s',
    async (_name, size) => {
      const { page, faults } = await visit(browser, size);
      await enter({ page }, system);
      await chat(page, 'Say');
      await answers(page).getByRole('button', { name: 'Answer again' }).click();
      await answers(page).getByText('Answer 2 to: Say').waitFor();
      await untilComplete(page);
      expect(await answers(page).count()).toBe(1);
      expect(questionsOf(system.upstream.calls[1])).toEqual(['Say']);
      const versions = answers(page).getByRole('group', { name: 'Version 2 of 2' });
      await versions.waitFor();
      await answers(page).getByRole('button', { name: 'Previous version' }).click();
      await answers(page).getByText('Answer 1 to: Say').waitFor();
      // What is asked now follows the version that is shown.
      await chat(page, 'And?');
      expect(system.upstream.calls[2]?.body.messages.map(({ content }) => content)).toEqual([
        'Say',
        'Answer 1 to: Say',
        'And?',
      ]);
      await page.reload();
      await answers(page).getByText('Answer 1 to: Say').waitFor();
      expect(await answers(page).count()).toBe(2);
      expect(faults).toEqual([]);
      await page.context().close();
    },
  );

  test('a question is edited, which makes a branch', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    await chat(page, 'One');
    await chat(page, 'Two');
    await questions(page).first().hover();
    await questions(page).first().getByRole('button', { name: 'Edit' }).click();
    const editor = page.getByRole('textbox', { name: 'Edit the message' });
    await editor.fill('Uno');
    await editor.press('Enter');
    await answers(page).getByText('to: Uno').waitFor();
    await untilComplete(page);
    expect(await questions(page).count()).toBe(1);
    expect(questionsOf(system.upstream.calls[2])).toEqual(['Uno']);
    await questions(page).getByRole('button', { name: 'Previous version' }).click();
    await answers(page).getByText('to: Two').waitFor();
    expect(await questions(page).count()).toBe(2);
    await questions(page).first().getByRole('button', { name: 'Next version' }).click();
    await answers(page).getByText('to: Uno').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('Up brings a question back that is far above its answer', async () => {
    const { page, faults } = await visit(browser, sizes.phone);
    await enter({ page }, system);
    system.upstream.behave((_call, answer) => {
      openStream(answer);
      answer.write(chunk({ content: 'A line of the answer.\n\n'.repeat(90) }));
      answer.end(`${chunk({ content: 'The end.' }, null)}${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
    await ask(page, 'At length');
    await answers(page).getByText('The end.').waitFor();
    await untilComplete(page);
    await page.getByRole('textbox', { name: 'Message', exact: true }).press('ArrowUp');
    const editor = page.getByRole('textbox', { name: 'Edit the message' });
    await expect.poll(() => editor.inputValue()).toBe('At length');
    await expect
      .poll(() => editor.evaluate((element) => element.getBoundingClientRect().top))
      .toBeGreaterThan(0);
    expect(await editor.evaluate((element) => element === document.activeElement)).toBe(true);
    // What was typed is still there after a look at the end.
    await editor.fill('In short');
    await page.getByRole('button', { name: 'To the newest message' }).click();
    await expect
      .poll(() => editor.evaluate((element) => element.getBoundingClientRect().bottom))
      .toBeLessThan(0);
    await editor.press('Enter');
    await expect.poll(() => questionsOf(system.upstream.calls[1])).toEqual(['In short']);
    await untilComplete(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('Up edits the last message, Escape leaves it as it was', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    await chat(page, 'Once');
    await page.getByRole('textbox', { name: 'Message', exact: true }).press('ArrowUp');
    const editor = page.getByRole('textbox', { name: 'Edit the message' });
    await expect.poll(() => editor.inputValue()).toBe('Once');
    await page.keyboard.press('Escape');
    await expect.poll(() => editor.count()).toBe(0);
    expect(system.upstream.calls).toHaveLength(1);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
