/** A real browser for tests of the page, when the machine has Debian's Chromium. */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { type System, startSystem } from './system.ts';

export const CHROMIUM = 'chromium';

export function startBrowser(): Promise<Browser> {
  // In a container there is no user for its sandbox.
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}

export interface VisitedSystem {
  system: System;
  browser: Browser;
  stop(): Promise<void>;
}

/** A system whose database is open, and a browser to visit it with. */
export async function startVisited(options?: Parameters<typeof startSystem>[0]): Promise<VisitedSystem> {
  const system = await startSystem(options);
  try {
    await untilDatabaseIsOpen(system);
    const browser = await startBrowser();
    return {
      system,
      browser,
      async stop() {
        await browser.close();
        await system.stop();
      },
    };
  } catch (error) {
    await system.stop();
    throw error;
  }
}

export const sizes = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
} as const;

export interface Visit {
  page: Page;
  context: BrowserContext;
  /** What the console said that nobody should read there; empty at the end of a test. */
  faults: string[];
}

/** A person with a browser of their own. */
export async function visit(
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = sizes.desktop,
): Promise<Visit> {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  context.setDefaultTimeout(8000);
  const faults: string[] = [];
  const watch = (page: Page) => {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        faults.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => faults.push(`${error.message} ${error.stack}`));
  };
  context.on('page', watch);
  const page = await context.newPage();
  return { page, context, faults };
}

/** Opens the chat page as a guest. */
export async function enter({ page }: Pick<Visit, 'page'>, system: Pick<System, 'address'>): Promise<void> {
  await page.goto(system.address);
  await page.getByRole('button', { name: 'Continue as guest' }).click();
  await page.getByRole('textbox', { name: 'Message', exact: true }).waitFor();
}

export async function ask(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message', exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

export const answers = (page: Page) => page.getByRole('article', { name: 'Answer' });
export const questions = (page: Page) => page.getByRole('article', { name: 'You' });

/** Resolves when the page says that the answer is whole. */
export async function untilComplete(page: Page): Promise<void> {
  await expect
    .poll(() => page.getByTestId('status').textContent(), { timeout: 10_000, interval: 30 })
    .toBe('Answer complete');
}

/** The text of the last answer as it is shown. */
export async function lastAnswer(page: Page): Promise<string> {
  return ((await answers(page).last().locator('.markdown').textContent()) ?? '').trim();
}

/** Waits until the embedded database of a system that has just been started is there; it takes its time. */
export async function untilDatabaseIsOpen(system: Pick<System, 'request'>): Promise<void> {
  for (const endMs = Date.now() + 50_000; Date.now() < endMs; ) {
    const answer = await system.request('/v1/conversations');
    await answer.body?.cancel();
    if (answer.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('the database was not there after 50 seconds');
}
