import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { sizes, startBrowser, visit } from '../e2e/browser.ts';
import { chunk, openStream, sse } from '../e2e/scripted-upstream.ts';
import { type System, startSystem } from '../e2e/system.ts';
import { buildEdge } from '../local/build.ts';
import { reportProgress, runCommand } from '../local/command.ts';
import { projectRoot } from '../local/settings.ts';

const folder = join(projectRoot, 'docs/screenshots');

const METRICS_TOKEN = 'metrics-of-the-screenshots';
const TRAFFIC_MS = 40_000;

const scenes = {
  en: {
    locale: 'en-GB',
    guest: 'Continue as guest',
    message: 'Message',
    earlier: ['Plan a talk about edge computing', 'Translate the release notes', 'Why is my query slow?'],
    question: 'How sure are answers by meaning, and how do I read a stream that survives the network?',
    answer: `Answers by meaning are given only when the **evidence so far** bounds the chance of an error:

$$
P(\\text{wrong} \\mid s) \\le \\delta, \\qquad \\delta = 0.02
$$

A stream goes on where it was, over as many connections as it takes:

\`\`\`ts
const client = createEdgewiseClient({ baseUrl, token });
for await (const chunk of client.chat({ sessionId, messages })) {
  show(chunk.choices[0]?.delta.content ?? '');
}
\`\`\`

| what happens | what is lost |
|---|---|
| the tab is reloaded | nothing |
| the phone loses its network | nothing |
| you press *Stop* | what was not said yet |
`,
  },
  zh: {
    locale: 'zh-CN',
    guest: '以访客身份继续',
    message: '消息',
    earlier: ['准备一个边缘计算的演讲', '翻译发布说明', '为什么我的查询很慢？'],
    question: '按语义命中的回答有多可靠？断网之后怎样接着读？',
    answer: `只有当**已有的证据**足以约束出错概率时，才会按语义给出已有的回答：

$$
P(\\text{wrong} \\mid s) \\le \\delta, \\qquad \\delta = 0.02
$$

流会从断开的地方继续，无论中间换了多少次连接：

\`\`\`ts
const client = createEdgewiseClient({ baseUrl, token });
for await (const chunk of client.chat({ sessionId, messages })) {
  show(chunk.choices[0]?.delta.content ?? '');
}
\`\`\`

| 发生了什么 | 丢失了什么 |
|---|---|
| 刷新页面 | 没有 |
| 手机断网 | 没有 |
| 按下*停止* | 还没说出的部分 |
`,
  },
} as const;

await runCommand({
  name: 'npm run screenshots',
  summary:
    'Takes the screenshots of docs/screenshots with a real browser: light and dark, desktop and phone, ' +
    'English and Chinese.',
  example: 'npm run screenshots',
  run: takeScreenshots,
});

async function takeScreenshots(): Promise<void> {
  reportProgress('Building the edge ...');
  await buildEdge();
  await mkdir(folder, { recursive: true });
  const system = await startSystem({
    env: { EDGEWISE_METRICS_TOKEN: METRICS_TOKEN, EDGEWISE_ARCHIVE: 'on' },
  });
  const browser = await startBrowser();
  try {
    for (const language of ['en', 'zh'] as const)
      for (const colorScheme of ['light', 'dark'] as const)
        for (const size of ['desktop', 'phone'] as const)
          await takeChat({ system, browser, language, colorScheme, size });
    await takeOperator(system, browser);
  } finally {
    await browser.close();
    await system.stop();
  }
}

interface Take {
  system: System;
  browser: Browser;
  language: keyof typeof scenes;
  colorScheme: 'light' | 'dark';
  size: keyof typeof sizes;
}

async function takeChat({ system, browser, language, colorScheme, size }: Take): Promise<void> {
  const scene = scenes[language];
  const { page, context } = await visit(browser, {
    ...sizes[size],
    locale: scene.locale,
    colorScheme,
    deviceScaleFactor: size === 'phone' ? 2 : 1,
    reducedMotion: 'reduce',
  });
  await page.goto(system.address);
  await page.getByRole('button', { name: scene.guest }).click();
  const box = page.getByRole('textbox', { name: scene.message, exact: true });
  await box.waitFor();
  for (const question of scene.earlier) {
    say(system, 'OK.');
    await box.fill(question);
    await page.keyboard.press('Enter');
    await page.locator('.answer').getByText('OK.').waitFor();
    await page.goto(`${system.address}/#/`);
    await page.locator('.welcome').waitFor();
  }
  say(system, scene.answer);
  await box.fill(scene.question);
  await page.keyboard.press('Enter');
  await page.locator('.answer .details').waitFor();
  await page.locator('.katex').first().waitFor();
  await page.locator('.hljs-keyword').first().waitFor();
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(800);
  if (size === 'desktop') await page.locator('.messages').evaluate((element) => element.scrollTo(0, 0));
  await page.mouse.move(2, 2);
  await page.waitForTimeout(200);
  await save(page, `chat-${size}-${colorScheme}-${language}`);
  await context.close();
}

async function takeOperator(system: System, browser: Browser): Promise<void> {
  const { page, context } = await visit(browser, { ...sizes.desktop, reducedMotion: 'reduce' });
  await page.goto(`${system.address}/admin`);
  await page.getByLabel('Token or API key').fill(await system.token({ sub: 'operator', scope: 'admin' }));
  await page.keyboard.press('Enter');
  await page.getByLabel('Token of the metrics').fill(METRICS_TOKEN);
  await page.getByRole('button', { name: 'Show' }).click();
  await makeTraffic(system);
  for (const name of ['Web shop', 'Nightly reports']) {
    await page.getByLabel('Name').fill(name);
    await page.getByRole('button', { name: 'Create a key' }).click();
    await page.getByRole('button', { name: 'Done' }).click();
  }
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(500);
  await save(page, 'operator-desktop-light-en');
  await context.close();
}

/** Mixed requests for a while, so that the charts show data. */
async function makeTraffic(system: System): Promise<void> {
  say(system, 'One two three four five.');
  for (let turn = 0, endMs = Date.now() + TRAFFIC_MS; Date.now() < endMs; turn++) {
    const headers = turn % 3 === 0 ? {} : { 'x-session-id': `traffic-${turn % 4}` };
    const model = turn % 4 === 0 ? 'gpt-5-mini' : turn % 5 === 0 ? 'nothing' : 'gpt-5';
    await (await system.chat(`Question ${turn % 7}`, { model }, headers)).text();
    await new Promise((resolve) => setTimeout(resolve, 120 + 100 * Math.sin(turn / 12)));
  }
}

async function save(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(folder, `${name}.png`) });
  console.log(`docs/screenshots/${name}.png`);
}

/** The scripted upstream answers with exactly this text, in pieces of 12 characters. */
function say(system: System, text: string): void {
  system.upstream.behave((_call, answer) => {
    openStream(answer);
    for (const piece of text.match(/[\s\S]{1,12}/g) ?? []) answer.write(chunk({ content: piece }));
    answer.write(chunk({}, 'stop'));
    const usage = { prompt_tokens: 58, completion_tokens: 212, total_tokens: 270 };
    answer.write(
      sse({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage }),
    );
    answer.end('data: [DONE]\n\n');
  });
}
