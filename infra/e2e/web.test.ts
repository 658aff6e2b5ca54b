/** The chat page in a real browser: talking. */
import type { Browser } from 'playwright-core';
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
import { chunk, openStream, refuse, say } from './scripted-upstream.ts';
import { lacks } from './services.ts';
import type { System } from './system.ts';

describe.skipIf(lacks(CHROMIUM))('the chat page', () => {
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

  describe('is served', () => {
    const get = (path: string, headers: Record<string, string> = {}) =>
      fetch(system.address + path, { headers });

    test('with a policy that knows no one else, compressed, and with names that hold for a year', async () => {
      const page = await get('/', { 'accept-encoding': 'br' });
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(page.headers.get('content-encoding')).toBe('br');
      expect(page.headers.get('cache-control')).toBe('no-cache');
      const policy = page.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      const html = await page.text();
      expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bon\w+=|https?:\/\//);
      const [, script = ''] = /src="([^"]+\.js)"/.exec(html) ?? [];
      const asset = await get(script, { 'accept-encoding': 'gzip' });
      expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(asset.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      expect(asset.headers.get('content-encoding')).toBe('gzip');
      expect((await asset.text()).length).toBeGreaterThan(10_000);
      const plain = await get(script, { 'accept-encoding': 'identity' });
      expect(plain.headers.get('content-encoding')).toBeNull();
      await plain.body?.cancel();
    });

    test.each([
      '/admin',
      '/icon.svg',
      '/icon-192.png',
      '/icon-512.png',
      '/icon-maskable.png',
      '/manifest.webmanifest',
    ])('%s', async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(100);
    });

    test.each([
      '/assets/nothing.js',
      '/assets/..%2f..%2fpolicy%2fwords.bin',
      '/policy/words.bin',
      '/assets/x.bin',
      '/web/index.html',
    ])('without what is not of the page: %s', async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(404);
      await answer.body?.cancel();
    });
  });

  describe.each(Object.entries(sizes))('on a %s', (_name, size) => {
    test('a question is answered in Markdown that nobody can abuse', async () => {
      const { page, faults } = await visit(browser, size);
      await enter({ page }, system);
      const markdown = [
        '# A title',
        '',
        'Some **bold** text.',
        '',
        '<img src=x onerror="alert(1)"><script>alert(2)</script>',
        '',
        '![spy](https://spy.example/pixel.png) [bad](javascript:alert(3)) [good](https://good.example/)',
        '',
        '```js',
        'const a = 1;',
        '```',
        '',
        'Euler: $e^{i\\pi} = -1$.',
        '',
      ].join('\n');
      system.upstream.behave(async (_call, answer) => {
        openStream(answer);
        for (let at = 0; at < markdown.length; at += 5) {
          answer.write(chunk({ content: markdown.slice(at, at + 5) }));
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        answer.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
      });
      await ask(page, 'Show me');
      await untilComplete(page);
      const answer = answers(page);
      await expect.poll(() => answer.getByRole('heading', { name: 'A title' }).count()).toBe(1);
      expect(await answer.locator('strong').textContent()).toBe('bold');
      expect(await answer.locator('img, script').count()).toBe(0);
      expect(
        await answer
          .getByRole('link')
          .evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).getAttribute('href'))),
      ).toEqual(['https://spy.example/pixel.png', 'https://good.example/']);
      await expect.poll(() => answer.locator('code .hljs-keyword').count()).toBeGreaterThan(0);
      await expect.poll(() => answer.locator('.katex').count()).toBe(1);
      expect(faults).toEqual([]);
      await page.context().close();
    });

    test('finished blocks stay as they are while the answer goes on', async () => {
      const { page, faults } = await visit(browser, size);
      await enter({ page }, system);
      system.upstream.behave(async (_call, answer) => {
        openStream(answer);
        for (let paragraph = 0; paragraph < 12; paragraph++)
          for (const word of `Paragraph ${paragraph} says little. `.repeat(3).split(' ')) {
            answer.write(chunk({ content: word === '' ? '\n\n' : `${word} ` }));
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        answer.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
      });
      await ask(page, 'Go on');
      await answers(page).getByText('Paragraph 2').first().waitFor();
      await page.evaluate(() => {
        document.querySelector('.answer .block p')?.setAttribute('data-mine', 'yes');
      });
      await untilComplete(page);
      expect(await answers(page).locator('p[data-mine]').count()).toBe(1);
      expect(faults).toEqual([]);
      await page.context().close();
    });
  });

  test('stop keeps what was said, and the model is not asked for more', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    system.upstream.behave(say('word '.repeat(400), { paceMs: 10 }));
    await ask(page, 'Talk');
    await answers(page).getByText('word word').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await answers(page).getByText('Stopped').waitFor();
    await expect.poll(() => system.upstream.calls[0]?.isAborted).toBe(true);
    const said = await answers(page).locator('.markdown').textContent();
    expect(said).toContain('word word');
    await page.reload();
    await expect.poll(() => answers(page).locator('.markdown').textContent()).toBe(said);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('an error is told, and trying again answers the same question', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    system.upstream.behave(refuse(401, { message: 'no' }));
    await ask(page, 'Try');
    await page.getByText('The model refused our credentials.').waitFor();
    system.upstream.behave(say('It works now.'));
    await page.getByRole('alert').getByRole('button', { name: 'Try again' }).click();
    await answers(page).getByText('It works now.').waitFor();
    // What is stored meanwhile does not bring the failure back.
    await page.waitForTimeout(800);
    expect(await answers(page).count()).toBe(1);
    await answers(page).getByText('It works now.').waitFor();
    expect(await questions(page).count()).toBe(1);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('answers and code are copied', async () => {
    const { page, context, faults } = await visit(browser);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: system.address });
    await enter({ page }, system);
    const code = '```\nlet x;\n```';
    system.upstream.behave((_call, answer) => {
      openStream(answer);
      answer.end(`${chunk({ content: code })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
    await ask(page, 'Code');
    await untilComplete(page);
    await page.getByRole('button', { name: 'Copy code' }).click();
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await expect.poll(clipboard).toBe('let x;');
    await answers(page).getByRole('button', { name: 'Copy', exact: true }).click();
    await expect.poll(clipboard).toBe(code);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
