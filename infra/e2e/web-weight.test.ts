/** What the chat page weighs, and how it bears a long conversation. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assetsDir } from '../local/bundle-paths.ts';
import {
  answers,
  ask,
  CHROMIUM,
  enter,
  startVisited,
  untilComplete,
  type VisitedSystem,
  visit,
} from './browser.ts';
import { chunk, openStream, say } from './scripted-upstream.ts';
import { lacks } from './services.ts';
import type { System } from './system.ts';

const MAX_FIRST_LOAD_BYTES = 60_000;
const web = join(assetsDir, 'web');

/** A script and all that it imports before it can run. */
async function withImports(name: string, seen = new Set<string>()): Promise<Set<string>> {
  if (seen.has(name)) return seen;
  seen.add(name);
  const text = await readFile(join(web, 'assets', name), 'utf8');
  for (const [, imported = ''] of text.matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g))
    await withImports(imported, seen);
  return seen;
}

test.each(['index.html', 'admin.html'])(
  'the first load of %s is at most 60 kB of compressed JavaScript',
  async (page) => {
    const html = await readFile(join(web, page), 'utf8');
    const named = [...html.matchAll(/(?:src|href)="\/assets\/([\w.-]+\.js)"/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(0);
    const scripts = new Set<string>();
    for (const name of named) await withImports(name, scripts);
    let bytes = 0;
    for (const name of scripts) bytes += gzipSync(await readFile(join(web, 'assets', name))).length;
    console.info(`${page}: ${bytes} bytes of JavaScript (gzip) in ${scripts.size} files`);
    expect(bytes).toBeLessThanOrEqual(MAX_FIRST_LOAD_BYTES);
  },
);

test('what is heavy is not in the first load', async () => {
  const html = await readFile(join(web, 'index.html'), 'utf8');
  const names = await readdir(join(web, 'assets'));
  for (const part of ['katex', 'common', 'markdown-view']) {
    expect(names.some((name) => name.startsWith(part))).toBe(true);
    expect(html).not.toContain(part);
  }
});

describe.skipIf(lacks(CHROMIUM))('in the browser', () => {
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

  test('the box can be used before any lazy part has come', async () => {
    const { page, faults } = await visit(browser);
    await page.route(/\/assets\/(?:markdown-view|katex|common)/, () => undefined);
    system.upstream.behave(say('Plain **text**.'));
    await enter({ page }, system);
    await ask(page, 'Hello');
    // Without its renderer the answer is plain, and there.
    await answers(page).getByText('Plain **text**.').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('a conversation of 1,000 messages scrolls and streams without tasks over 50 ms', async () => {
    const sessionId = crypto.randomUUID();
    const paragraph = 'A paragraph of *some* length, with `code` and **weight**, that says nothing new. ';
    system.upstream.behave((_call, answer) => {
      openStream(answer);
      const text = `### Answer\n\n${paragraph.repeat(3)}\n\n- one\n- two\n\n\`\`\`ts\nconst a = 1;\n\`\`\`\n`;
      answer.end(`${chunk({ content: text })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
    for (let turn = 0; turn < 500; turn++) {
      const answer = await system.chat(`Question ${turn}`, {}, { 'x-session-id': sessionId });
      expect(answer.status).toBe(200);
      await answer.body?.cancel();
    }
    const { page, faults } = await visit(browser);
    const account = { kind: 'token', accessToken: await system.token() };
    await page.addInitScript(
      (kept) => sessionStorage.setItem('edgewise.account', kept),
      JSON.stringify(account),
    );
    await page.goto(`${system.address}/#/c/${sessionId}`);
    await page.getByText('Question 499').waitFor();
    await page.locator('.hljs-keyword').first().waitFor();
    expect(await page.locator('article').count()).toBeLessThan(60);

    const watch = await watchTasks(page);
    // A long task would be seen.
    await page.evaluate(() => {
      setTimeout(() => {
        for (const endMs = performance.now() + 300; performance.now() < endMs; );
      });
    });
    await page.waitForTimeout(600);
    expect((await watch())[0]).toBeGreaterThan(50);
    const seen: number[] = [];
    // Up to the very first question, as a wheel or a thumb would go, older pages coming in on the way.
    await page.locator('.messages').hover();
    const first = page.getByText('Question 0', { exact: true });
    for (let steps = 0; steps < 600 && !(await first.isVisible()); steps++) {
      await page.mouse.wheel(0, -1500);
      await page.waitForTimeout(16);
      if (steps % 10 === 0) seen.push(await topQuestion(page));
    }
    await first.waitFor();
    const scrolling = await watch();
    // Older pages that come in do not throw the reader back.
    expect(seen).toEqual([...seen].sort((a, b) => b - a));
    expect(seen.length).toBeGreaterThan(5);
    await page.getByRole('button', { name: 'To the newest message' }).click();
    await page.getByText('Question 499').waitFor();

    system.upstream.behave(async (_call, answer) => {
      openStream(answer);
      for (let part = 0; part < 60; part++) {
        answer.write(chunk({ content: `${paragraph.repeat(2)}\n\n` }));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      answer.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
    await ask(page, 'And now?');
    await untilComplete(page);
    const streaming = await watch();
    console.info('longest tasks, ms of processor time:', { scrolling, streaming });
    expect(scrolling.length + streaming.length).toBe(10);
    expect(scrolling[0]).toBeLessThan(50);
    expect(streaming[0]).toBeLessThan(50);
    expect(await page.locator('article').count()).toBeLessThan(60);
    expect(faults).toEqual([]);
    await page.context().close();
  }, 120_000);
});

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Time of the processor, in microseconds: what other programs of this machine do meanwhile does not count. */
  tdur?: number;
  args?: { name?: string };
}

/** @returns what tells the longest tasks of the page's main thread since the last time it was asked, longest first */
async function watchTasks(page: Page): Promise<() => Promise<number[]>> {
  const session = await page.context().newCDPSession(page);
  let events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const start = () => session.send('Tracing.start', { transferMode: 'ReportEvents', categories: 'toplevel' });
  await start();
  return async () => {
    const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
    await session.send('Tracing.end');
    await complete;
    const main = new Set(
      events
        .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
        .map(({ pid, tid }) => `${pid}/${tid}`),
    );
    const tasks = events
      .filter(({ ph, pid, tid, name }) => ph === 'X' && name.includes('RunTask') && main.has(`${pid}/${tid}`))
      .map(({ tdur = 0 }) => tdur / 1000);
    events = [];
    await start();
    return tasks.sort((one, other) => other - one).slice(0, 5);
  };
}

/** The number of the question that stands highest on the screen. */
async function topQuestion(page: Page): Promise<number> {
  return page.evaluate(() => {
    const shown = [...document.querySelectorAll('.question')].filter((element) => {
      const { bottom } = element.getBoundingClientRect();
      return bottom > 0;
    });
    return Number(/\d+/.exec(shown[0]?.textContent ?? '')?.[0] ?? Number.NaN);
  });
}
