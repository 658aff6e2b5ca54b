import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataFolder } from './data-folder.ts';

let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'edgewise-folder-'));
  folder = join(parent, 'data with a space');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

test('a new folder can be read by its owner alone', async () => {
  await (await openDataFolder(folder)).close();
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

test.each([0o755, 0o777, 0o750])('a folder that exists with mode %o is made private', async (mode) => {
  await mkdir(folder);
  await chmod(folder, mode);
  await (await openDataFolder(folder)).close();
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

test('a second process is refused, and the error names the one that has it open', async () => {
  const held = await openDataFolder(folder);
  const { code, stderr } = await openInProcess();
  expect(code).toBe(1);
  expect(stderr).toContain(
    `Edgewise has the folder ${folder} open already (process ${process.pid}). Stop it, or use another folder.`,
  );
  await held.close();
  expect((await openInProcess()).code).toBe(0);
});

test('a process that was killed holds nothing', async () => {
  const child = startHolder();
  await once(child.stdout, 'data');
  await expect(openDataFolder(folder)).rejects.toThrow(`(process ${child.pid})`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await openDataFolder(folder)).close();
});

const open = `
  const { openDataFolder } = await import(${JSON.stringify(join(import.meta.dirname, 'data-folder.ts'))});
  const held = await openDataFolder(process.argv[1]);`;

function startHolder() {
  return spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `${open} console.log('open'); setInterval(() => held, 1000);`,
    folder,
  ]);
}

async function openInProcess(): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', `${open} await held.close();`, folder]);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stderr };
}
