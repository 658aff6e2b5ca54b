import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDataDir } from './lock.ts';

let parent: string;
let dataDir: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'edgewise-lock-'));
  dataDir = join(parent, 'data with a space');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

test('is held until it is released', async () => {
  const unlock = await lockDataDir(dataDir);
  expect(await readFile(join(dataDir, 'lock'), 'utf8')).toBe(String(process.pid));
  await unlock();
  await expect(stat(join(dataDir, 'lock'))).rejects.toThrow('ENOENT');
  await (await lockDataDir(dataDir))();
});

test('creates a folder that only its owner can read', async () => {
  await lockDataDir(dataDir);
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
});

test('of a running process is respected, and the error says what to do', async () => {
  await lockDataDir(dataDir);
  await writeFile(join(dataDir, 'lock'), String(process.ppid));
  await expect(lockDataDir(dataDir)).rejects.toThrow(
    `(process ${process.ppid}). Stop it, or set EDGEWISE_DATA`,
  );
});

test.each([
  ['of a process that no longer runs', () => String(spawnSync(process.execPath, ['-v']).pid)],
  ['without a process id', () => ''],
  ['with something else than a number', () => 'nobody'],
])('%s is replaced', async (_name, holder) => {
  await lockDataDir(dataDir);
  await writeFile(join(dataDir, 'lock'), holder());
  await lockDataDir(dataDir);
  expect(await readFile(join(dataDir, 'lock'), 'utf8')).toBe(String(process.pid));
});
