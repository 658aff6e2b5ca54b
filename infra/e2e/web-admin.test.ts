/** The operator's page in a real browser. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { violations } from './axe.ts';
import { CHROMIUM, sizes, startVisited, type VisitedSystem, visit } from './browser.ts';
import { say } from './scripted-upstream.ts';
import { lacks } from './services.ts';
import type { System } from './system.ts';

const METRICS_TOKEN = 'reads-metrics-in-tests';

describe.skipIf(lacks(CHROMIUM))("the operator's page", () => {
  let visited: VisitedSystem;
  let system: System;
  let browser: Browser;
  beforeAll(async () => {
    visited = await startVisited({ env: { EDGEWISE_METRICS_TOKEN: METRICS_TOKEN, EDGEWISE_ARCHIVE: 'on' } });
    ({ system, browser } = visited);
  });
  afterAll(async () => {
    await visited?.stop();
  });

  async function signIn(page: Page, scope: string): Promise<void> {
    await page.goto(`${system.address}/admin`);
    await page.getByLabel('Token or API key').fill(await system.token({ sub: 'operator', scope }));
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  test('lets nobody in without the scope', async () => {
    const { page } = await visit(browser);
    await signIn(page, '');
    await page.getByText('it lacks the scope "admin"').waitFor();
    expect(await page.getByRole('heading', { name: 'API keys' }).count()).toBe(0);
    await page.context().close();
  });

  test('makes a key that works, lists it and revokes it', async () => {
    const { page, faults } = await visit(browser);
    await signIn(page, 'admin grant');
    await page.getByLabel('Name').fill('Back end');
    await page.getByLabel('Scopes').fill('batch');
    await page.getByRole('button', { name: 'Create a key' }).click();
    const key = (await page.locator('.made-key code').textContent()) ?? '';
    const models = () =>
      fetch(`${system.address}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    expect((await models()).status).toBe(200);
    await page.getByRole('button', { name: 'Done' }).click();
    const row = page.getByRole('row', { name: /Back end/ });
    expect(await row.textContent()).toMatch(/free.*batch.*active/);
    expect(await page.content()).not.toContain(key);
    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await expect.poll(() => row.textContent()).toContain('revoked');
    expect((await models()).status).toBe(401);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('tells what the tenant has used and spent', async () => {
    const { page, faults } = await visit(browser);
    system.upstream.behave(say('Yes.', { usage: { prompt_tokens: 2000, completion_tokens: 1000 } }));
    await (await system.chat('Well?', { model: 'gpt-5' }, { 'x-session-id': crypto.randomUUID() })).text();
    await signIn(page, 'admin');
    await page.getByRole('heading', { name: 'Usage' }).waitFor();
    const row = page.getByRole('region', { name: 'Usage' }).getByRole('row', { name: /gpt-5/ });
    await expect
      .poll(
        async () => {
          await page.reload();
          await page.getByRole('heading', { name: 'Usage' }).waitFor();
          await page.waitForTimeout(200);
          return (await row.count()) > 0 ? row.textContent() : '';
        },
        { timeout: 20_000, interval: 300 },
      )
      // 2,000 at 1.25 and 1,000 at 10 dollars a million.
      .toBe('gpt-51002,0001,000$0.0125');
    await page.getByRole('img', { name: 'Spent, the last 30 days: $0.0125' }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    test.each(Object.entries(sizes))(
      'draws the metrics, and axe finds nothing wrong on a %s',
      async (_name, size) => {
        const { page, faults } = await visit(browser, { ...size, colorScheme });
        await signIn(page, 'admin');
        await page.getByLabel('Token of the metrics').fill(METRICS_TOKEN);
        await page.getByRole('button', { name: 'Show' }).click();
        const chart = page
          .getByRole('figure')
          .filter({ has: page.getByRole('img', { name: /^Requests\./ }) });
        // A rate needs two readings, and a line two rates.
        await expect.poll(() => chart.locator('b').first().textContent(), { timeout: 12_000 }).toMatch(/\d/);
        await expect
          .poll(() => chart.locator('path.line').first().getAttribute('d'), { timeout: 12_000 })
          .toMatch(/^M.+L/);
        await page
          .getByRole('row', { name: /scripted-1/ })
          .first()
          .waitFor();
        expect(await violations(page)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
        expect(faults).toEqual([]);
        await page.context().close();
      },
    );
  });
});
