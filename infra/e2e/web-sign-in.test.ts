/** Signing in to the chat page at an identity provider. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  answers,
  ask,
  CHROMIUM,
  startBrowser,
  untilComplete,
  untilDatabaseIsOpen,
  visit,
} from './browser.ts';
import { type ScriptedProvider, startScriptedProvider } from './scripted-provider.ts';
import { lacks } from './services.ts';
import { type System, startSystem } from './system.ts';

describe.skipIf(lacks(CHROMIUM))('with a provider', () => {
  let provider: ScriptedProvider;
  let system: System;
  let browser: Browser;
  beforeAll(async () => {
    provider = await startScriptedProvider('chat-page', 'chat');
    system = await startSystem({
      env: {
        EDGEWISE_JWT_ALGORITHM: 'RS256',
        EDGEWISE_JWKS_URL: provider.jwksUrl,
        EDGEWISE_JWT_ISSUER: provider.issuer,
        EDGEWISE_JWT_AUDIENCE: 'chat',
        EDGEWISE_OIDC_ISSUER: provider.issuer,
        EDGEWISE_OIDC_CLIENT_ID: 'chat-page',
        EDGEWISE_GUESTS: 'off',
      },
    });
    const headers = { authorization: `Bearer ${await provider.token()}` };
    await untilDatabaseIsOpen({ request: (path) => system.request(path, { headers }) });
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await system?.stop();
    await provider?.close();
  });

  test('a person signs in by the code flow with PKCE, chats, and the token is renewed', async () => {
    const { page, faults } = await visit(browser);
    // Shorter than what is left for the way: it is renewed before each use.
    provider.expiresIn = 30;
    await page.goto(system.address);
    expect(await page.getByRole('button', { name: 'Continue as guest' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Sign in with your account' }).click();
    await page.getByRole('textbox', { name: 'Message', exact: true }).waitFor();
    // Nothing of it stays in the address, or in the history.
    expect(page.url()).toBe(`${system.address}/`);
    await ask(page, 'Hello');
    await untilComplete(page);
    await answers(page).getByText('Hello from the model.').waitFor();
    expect(provider.grants[0]).toBe('authorization_code');
    expect(provider.grants).toContain('refresh_token');
    await page.getByRole('button', { name: 'Settings: Ann Example' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in with your account' }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('an answer that the page did not ask for signs nobody in', async () => {
    const { page } = await visit(browser);
    const before = provider.grants.length;
    await page.goto(`${system.address}/?code=stolen&state=guessed`);
    await page.getByRole('button', { name: 'Sign in with your account' }).waitFor();
    expect(provider.grants).toHaveLength(before);
    // One that comes while the page waits, with another state.
    await page.route(`${provider.issuer}/authorize*`, (route) =>
      route.fulfill({ status: 302, headers: { location: `${system.address}/?code=stolen&state=guessed` } }),
    );
    await page.getByRole('button', { name: 'Sign in with your account' }).click();
    await page.getByRole('alert').getByText('sign-in failed').waitFor();
    expect(provider.grants).toHaveLength(before);
    await page.context().close();
  });
});
