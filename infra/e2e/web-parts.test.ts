/** The chat page in a real browser: documents, images, voice, feedback. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { violations } from './axe.ts';
import {
  answers,
  ask,
  CHROMIUM,
  enter,
  questions,
  startBrowser,
  startVisited,
  untilComplete,
  type VisitedSystem,
  visit,
} from './browser.ts';
import { say } from './scripted-upstream.ts';
import { lacks } from './services.ts';
import { type System, startSystem } from './system.ts';
import { startTaskUpstream, type TaskUpstream } from './task-upstream.ts';

const models = (tasks: string) => `
[dispatch]
max_retries = 0
last_resort = "none"
[providers.main]
kind = "openai"
base_url = "http://127.0.0.1:9/v1"
base_url_env = "OPENAI_BASE_URL"
api_key_env = "OPENAI_API_KEY"
[providers.tasks]
kind = "openai"
base_url = "${tasks}"
[models.seeing]
provider = "main"
context_length = 128_000
capabilities = ["vision"]
price = { input = 10.0, output = 20.0 }
[models.voice]
provider = "tasks"
offers = ["speech", "transcriptions"]
[aliases]
smart = ["seeing"]
fast = ["seeing"]
`;
/** A red square. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mP8z8BQz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC';

describe.skipIf(lacks(CHROMIUM))('the parts of the chat page', () => {
  let visited: VisitedSystem;
  let system: System;
  let tasks: TaskUpstream;
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgewise-web-'));
    tasks = await startTaskUpstream();
    const path = join(folder, 'models.toml');
    await writeFile(path, models(tasks.baseUrl));
    visited = await startVisited({ env: { EDGEWISE_MODELS_FILE: path, EDGEWISE_ARCHIVE: 'on' } });
    ({ system, browser } = visited);
  });
  afterAll(async () => {
    await visited?.stop();
    await tasks?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    system.upstream.calls.length = 0;
    tasks.calls.length = 0;
    system.upstream.behave(say('Hello from the model.'));
  });

  test('a file that is picked becomes a document, and the answer opens the passage that it rests on', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    const text = '# Handbook\n\n## Holidays\n\nEverybody has **31 days** of holiday a year.\n';
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Add a file or an image' }).click(),
    ]);
    await chooser.setFiles({ name: 'handbook.md', mimeType: 'text/markdown', buffer: Buffer.from(text) });
    await page.getByText('handbook.md was added to your documents.').waitFor();
    // Who adds a document wants answers from it.
    await expect
      .poll(() => page.getByRole('button', { name: 'Knowledge' }).getAttribute('aria-pressed'))
      .toBe('true');
    system.upstream.behave(say('You have 31 days [1], truly [1].'));
    await ask(page, 'How many days of holiday do I have?');
    await untilComplete(page);
    expect(JSON.stringify(system.upstream.calls.at(-1)?.body.messages)).toContain('31 days');
    const source = answers(page).getByRole('button', { name: /Handbook/ });
    await source.click();
    const passage = answers(page).locator('blockquote');
    await passage.getByText('Everybody has 31 days of holiday a year.').waitFor();
    expect(await passage.locator('strong').textContent()).toBe('31 days');
    expect(await violations(page)).toEqual([]);
    await page.reload();
    await source.waitFor();
    await page.getByRole('button', { name: /^Documents/ }).click();
    await page.getByText('1 passages').waitFor();
    await page.getByRole('button', { name: 'Delete: Handbook' }).click();
    await page.getByText('Handbook was removed.').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('a file that is dropped is taken, and one that nobody can read is refused in words', async () => {
    const { page } = await visit(browser);
    await enter({ page }, system);
    const drop = (name: string, type: string, text: string) =>
      page.evaluate(
        ([fileName = '', fileType = '', content = '']) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([content], fileName, { type: fileType }));
          for (const kind of ['dragover', 'drop'])
            document.body.dispatchEvent(
              new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }),
            );
        },
        [name, type, text],
      );
    await drop('notes.txt', 'text/plain', 'Lunch is at noon.');
    await page.getByText('notes.txt was added to your documents.').waitFor();
    await drop('thing.bin', 'application/octet-stream', 'xx');
    await page.getByText(/Something went wrong: A document is one of/).waitFor();
    await page.context().close();
  });

  test('an image goes to a model that sees, and stays in the history', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Add a file or an image' }).click(),
    ]);
    await chooser.setFiles({ name: 'red.png', mimeType: 'image/png', buffer: Buffer.from(PNG, 'base64') });
    await page.getByRole('img', { name: 'red.png' }).waitFor();
    await ask(page, 'What is this?');
    await untilComplete(page);
    const content = system.upstream.calls[0]?.body.messages.at(-1)?.content as { type: string }[];
    expect(content).toMatchObject([
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: expect.stringMatching(/^data:image\/jpeg;base64,/) } },
    ]);
    await page.reload();
    const image = questions(page).getByRole('img');
    await image.waitFor();
    expect(await image.evaluate((element) => (element as HTMLImageElement).naturalWidth)).toBe(10);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('the line under the answer tells what it cost', async () => {
    const { page } = await visit(browser);
    await page.addInitScript(() => localStorage.setItem('edgewise.model', 'seeing'));
    await enter({ page }, system);
    system.upstream.behave(say('Yes.', { usage: { prompt_tokens: 1000, completion_tokens: 2000 } }));
    await ask(page, 'Well?');
    await untilComplete(page);
    await expect.poll(() => answers(page).locator('.details').textContent()).toContain('$0.050');
    await page.context().close();
  });

  test('thumbs up and down are told to the server', async () => {
    const { page, faults } = await visit(browser);
    await enter({ page }, system);
    await ask(page, 'Well?');
    await untilComplete(page);
    const archived = () =>
      page.evaluate(async () => {
        const { accessToken } = JSON.parse(sessionStorage.getItem('edgewise.account') ?? '');
        const headers = { authorization: `Bearer ${accessToken}` };
        return (await (await fetch('/v1/conversations', { headers })).json()).data.length;
      });
    await expect.poll(archived, { timeout: 20_000, interval: 200 }).toBe(1);
    const [told] = await Promise.all([
      page.waitForRequest('**/v1/feedback'),
      answers(page).getByRole('button', { name: 'Good answer' }).click(),
    ]);
    expect(told.postDataJSON()).toMatchObject({
      rating: 'up',
      turn_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect((await told.response())?.status()).toBe(200);
    await page.getByText('Thank you.').waitFor();
    expect(
      await answers(page).getByRole('button', { name: 'Good answer' }).getAttribute('aria-pressed'),
    ).toBe('true');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('what is said is written down, and answers are read aloud', async () => {
    const talking = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    });
    const { page } = await visit(talking);
    await enter({ page }, system);
    const microphone = page.getByRole('button', { name: 'Hold to talk' });
    await microphone.hover();
    await page.mouse.down();
    await page.getByRole('button', { name: 'Listening' }).waitFor();
    await page.waitForTimeout(700);
    await page.mouse.up();
    const box = page.getByRole('textbox', { name: 'Message', exact: true });
    await expect.poll(() => box.inputValue(), { timeout: 8000 }).toMatch(/^voice\.webm of [1-9]\d+ bytes$/);
    system.upstream.behave(say('**Bold** words and `code`.'));
    await ask(page, 'Say it');
    await untilComplete(page);
    await answers(page).getByRole('button', { name: 'Read aloud' }).click();
    await expect
      .poll(() => tasks.calls.find(({ path }) => path === '/v1/audio/speech')?.body)
      .toMatchObject({ model: 'voice', input: 'Bold words and code.' });
    await talking.close();
  });
});

test.skipIf(lacks(CHROMIUM))('what a server does not offer is not shown', async () => {
  const system = await startSystem();
  const browser = await startBrowser();
  try {
    const { page } = await visit(browser);
    await enter({ page }, system);
    expect(await page.getByRole('button', { name: 'Hold to talk' }).count()).toBe(0);
    await ask(page, 'Hello');
    await untilComplete(page);
    expect(await answers(page).getByRole('button', { name: 'Read aloud' }).count()).toBe(0);
  } finally {
    await browser.close();
    await system.stop();
  }
});
