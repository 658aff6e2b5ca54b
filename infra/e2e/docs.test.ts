/** The runnable examples of the README and the English pages, against one running system. */
import { execFile } from 'node:child_process';
import { glob, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunnableBlock, runnableBlocks } from '../docs/runnable-blocks.ts';
import { projectRoot } from '../local/settings.ts';
import { type System, startSystem } from './system.ts';

const run = promisify(execFile);
const pages = ['README.md'];
for await (const page of glob('docs/en/**/*.md', { cwd: projectRoot })) pages.push(page);
pages.sort();
const examples: [string, RunnableBlock][] = [];
for (const page of pages)
  for (const block of runnableBlocks(await readFile(join(projectRoot, page), 'utf8')))
    examples.push([page, block]);

let system: System;
let folder: string;
let environment: NodeJS.ProcessEnv;
beforeAll(async () => {
  system = await startSystem({ env: { EDGEWISE_CACHE: 'on', EDGEWISE_ARCHIVE: 'on' } });
  folder = await mkdtemp(join(tmpdir(), 'edgewise-docs-'));
  await symlink(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  const token = await system.token({ scope: 'batch' });
  const admin = await system.token({ sub: 'operator', scope: 'admin grant' });
  environment = { PATH: process.env.PATH, EDGE: system.address, TOKEN: token, ADMIN: admin };
});
afterAll(async () => {
  await system?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

test.each(examples)('the example of %s runs', async (_page, { language, code }) => {
  const options = { cwd: folder, env: environment, timeout: 25_000 };
  if (language === 'js') await writeFile(join(folder, 'example.mjs'), code);
  const { stdout } =
    language === 'sh'
      ? await run('bash', ['-euo', 'pipefail', '-c', code], options)
      : await run(process.execPath, ['example.mjs'], options);
  expect(stdout.trim()).not.toBe('');
});
