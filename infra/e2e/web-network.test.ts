/** The chat page in a real browser on bad networks, after reloads, in two tabs. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  answers,
  ask,
  CHROMIUM,
  enter,
  lastAnswer,
  questions,
  startVisited,
  untilComplete,
  visit,
} from './browser.ts';
import { type FaultyNetwork, startFaultyNetwork } from './faulty-network.ts';
import { say } from './scripted-upstream.ts';
import { lacks } from './services.ts';
import type { System } from './system.ts';

describe.skipIf(lacks(CHROMIUM))('the network of the chat page', () => {
  let system: System;
  let browser: Browser;
  let network: FaultyNetwork;
  beforeAll(async () => {
    ({ system, browser } = await startVisited());
    network = await startFaultyNetwork(system.address);
  });
  afterAll(async () => {
    await browser?.close();
    await network?.close();
    await system?.stop();
  });
  const text = Array.from({ length: 120 }, (_, index) => `w${index}`).join(' ');
  beforeEach(() => {
    system.upstream.calls.length = 0;
    network.cutAfter(() => Number.POSITIVE_INFINITY);
    system.upstream.behave(say(text, { paceMs: 20 }));
  });
  /** Failed requests are what these tests are about, and the browser tells them. */
  const ownFaults = (faults: string[]) =>
    faults.filter((fault) => !/net::ERR_|WebSocket connection to|Failed to load resource/.test(fault));
  const late = () => new Promise((resolve) => setTimeout(resolve, 1500));
  /** The page's socket comes late, long after the answer. */
  const delaySocket = (page: Page) =>
    page.routeWebSocket(/\/ws/, async (socket) => {
      await late();
      socket.connectToServer();
    });

  test('connections that are cut again and again lose nothing and ask the model once', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, network);
    await ask(page, 'Count');
    await answers(page).getByText('w3').waitFor();
    network.cutAfter(() => 2500 + Math.floor(Math.random() * 3000));
    await untilComplete(page);
    expect(await lastAnswer(page)).toBe(text);
    expect(network.connections).toBeGreaterThan(4);
    expect(system.upstream.calls).toHaveLength(1);
    expect(ownFaults(faults)).toEqual([]);
    await page.context().close();
  });

  test('a socket that is dead while it says OPEN is replaced when the page comes back to the front', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, network);
    await ask(page, 'Count');
    await answers(page).getByText('w3').waitFor();
    network.freeze();
    // As a phone says it when its owner comes back.
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await untilComplete(page);
    expect(await lastAnswer(page)).toBe(text);
    expect(system.upstream.calls).toHaveLength(1);
    expect(ownFaults(faults)).toEqual([]);
    await page.context().close();
  });

  test('airplane mode in the middle of an answer loses nothing', async () => {
    const { page, context, faults } = await visit(browser);
    await enter({ page }, network);
    await ask(page, 'Count');
    await answers(page).getByText('w3').waitFor();
    await context.setOffline(true);
    network.cutAfter(() => 0);
    await page.getByText('You are offline.').waitFor();
    // The answer comes to its end meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 2600));
    expect(await lastAnswer(page)).not.toContain('w119');
    network.cutAfter(() => Number.POSITIVE_INFINITY);
    await context.setOffline(false);
    await untilComplete(page);
    expect(await lastAnswer(page)).toBe(text);
    expect(system.upstream.calls).toHaveLength(1);
    expect(ownFaults(faults)).toEqual([]);
    await page.context().close();
  });

  test('a question that is asked offline is sent once, later, even after leaving for another chat', async () => {
    const { page, context, faults } = await visit(browser);
    system.upstream.behave(say('Here I am.'));
    await enter({ page }, network);
    await context.setOffline(true);
    await ask(page, 'Are you there?');
    await page.getByText('Will be sent when you are back online').waitFor();
    expect(await answers(page).count()).toBe(0);
    await page.getByRole('button', { name: 'New chat' }).first().click();
    await context.setOffline(false);
    await expect.poll(() => system.upstream.calls.length).toBe(1);
    await page.getByRole('link', { name: 'Are you there?' }).click();
    await answers(page).getByText('Here I am.').waitFor();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await questions(page).count()).toBe(1);
    expect(system.upstream.calls).toHaveLength(1);
    expect(ownFaults(faults)).toEqual([]);
    await page.context().close();
  });

  test('what could not be sent before a reload is sent after it', async () => {
    const { page, faults } = await visit(browser);
    system.upstream.behave(say('Here I am.'));
    await enter({ page }, network);
    network.cutAfter(() => 0);
    await ask(page, 'Are you there?');
    await page.getByText('Will be sent when you are back online').waitFor();
    network.cutAfter(() => Number.POSITIVE_INFINITY);
    await page.reload();
    await answers(page).getByText('Here I am.').waitFor();
    expect(await questions(page).count()).toBe(1);
    expect(system.upstream.calls).toHaveLength(1);
    expect(ownFaults(faults)).toEqual([]);
    await page.context().close();
  });

  test('a question that the server has before it could say so is shown once', async () => {
    const { page, faults } = await visit(browser);
    system.upstream.behave(say('Here I am.'));
    await enter({ page }, system);
    await delaySocket(page);
    let replied = false;
    await page.route('**/v1/responses', async (route) => {
      const response = await route.fetch();
      await late();
      replied = true;
      await route.fulfill({ response });
    });
    await ask(page, 'Are you there?');
    await expect.poll(() => system.upstream.calls.length).toBe(1);
    await page.reload();
    await answers(page).getByText('Here I am.').waitFor();
    expect(replied).toBe(false);
    expect(await questions(page).count()).toBe(1);
    await untilComplete(page);
    expect(await questions(page).count()).toBe(1);
    expect(system.upstream.calls).toHaveLength(1);
    expect(ownFaults(faults)).toEqual([]);
    await page.context().close();
  });

  test('an answer that is whole before the page listens is shown all the same', async () => {
    const { page, faults } = await visit(browser);
    system.upstream.behave(say('Quick.'));
    await enter({ page }, system);
    await delaySocket(page);
    await ask(page, 'Fast?');
    await answers(page).getByText('Quick.').waitFor();
    await untilComplete(page);
    await answers(page).locator('.details').getByText('scripted-1').waitFor();
    expect(await questions(page).count()).toBe(1);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('a reload in the middle of an answer goes on with it', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    await ask(page, 'Count');
    await answers(page).getByText('w3').waitFor();
    await page.reload();
    await answers(page).getByText('w5').waitFor();
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await untilComplete(page);
    expect(await lastAnswer(page)).toBe(text);
    expect(await questions(page).count()).toBe(1);
    expect(system.upstream.calls).toHaveLength(1);
    expect(ownFaults(faults)).toEqual([]);
    await page.context().close();
  });

  test('the same chat in two tabs stays in step', async () => {
    const { page: one, context, faults } = await visit(browser);
    system.upstream.behave((call, answer) => {
      const asked = call.body.messages.at(-1)?.content;
      return say(`This is said to ${String(asked)}`, { paceMs: 10 })(call, answer);
    });
    await enter({ page: one }, system);
    await ask(one, 'One');
    await answers(one).getByText('said to One').waitFor();
    const two = await context.newPage();
    await two.goto(one.url());
    await answers(two).getByText('said to One').waitFor();
    await ask(two, 'Two');
    for (const page of [one, two]) {
      await answers(page).getByText('said to Two').waitFor();
      await untilComplete(page);
      expect(await questions(page).allTextContents()).toEqual([
        expect.stringContaining('One'),
        expect.stringContaining('Two'),
      ]);
      expect(await answers(page).count()).toBe(2);
    }
    // An answer that is given again is one in the other tab, too.
    await answers(one).last().getByRole('button', { name: 'Answer again' }).click();
    await answers(two).last().getByRole('group', { name: 'Version 2 of 2' }).waitFor();
    expect(await answers(two).count()).toBe(2);
    // Who signs out is signed out everywhere.
    await one.getByRole('button', { name: 'Settings' }).click();
    await one.getByRole('menuitem', { name: 'Sign out' }).click();
    await two.getByRole('button', { name: 'Continue as guest' }).waitFor();
    expect(ownFaults(faults)).toEqual([]);
    await context.close();
  });
});
