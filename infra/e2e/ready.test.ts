import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startCore } from '../local/processes.ts';
import { localSecrets } from '../local/secrets.ts';
import { type System, startSystem } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(() => system.stop());

async function readiness(): Promise<[number, Record<string, string>]> {
  const response = await fetch(`${system.address}/readyz`);
  const { checks } = (await response.json()) as { checks: Record<string, string> };
  return [response.status, checks];
}

/** The route answers at most once a second with a new result. */
async function untilChecks(expected: object): Promise<[number, Record<string, string>]> {
  return expect
    .poll(readiness, { timeout: 25_000 })
    .toMatchObject([expect.anything(), expected])
    .then(readiness);
}

test('a system whose parts work is ready', async () => {
  // The embedded database opens at its first use.
  expect(await untilChecks({ core_database: 'ok' })).toEqual([
    200,
    {
      storage: 'ok',
      core: 'ok',
      core_process: 'ok',
      core_models_file: 'ok',
      core_database: 'ok',
      core_disk: 'ok',
    },
  ]);
});

test('without its core the edge is alive, and not ready', async () => {
  await system.killCore();
  expect(await untilChecks({ core: 'unreachable' })).toEqual([503, { storage: 'ok', core: 'unreachable' }]);
  expect((await fetch(`${system.address}/healthz`)).status).toBe(200);
});

test('a core with another service secret is found out, and logs why it refuses', async () => {
  const other = startCore(
    { PATH: process.env.PATH, EDGEWISE_ARCHIVE: 'off', EDGEWISE_DATABASE_DIR: join(system.dataDir, 'other') },
    {
      dataDir: system.dataDir,
      edgePort: Number(new URL(system.address).port),
      corePort: Number(new URL(system.coreAddress).port),
    },
    { ...(await localSecrets(system.dataDir)), serviceSecret: 'another service secret of 32 bytes' },
  );
  onTestFinished(() => other.stop(1000));
  expect(await untilChecks({ core: 'signature_refused' })).toEqual([
    503,
    { storage: 'ok', core: 'signature_refused' },
  ]);
  await expect.poll(() => other.lastLogLines()).toContain('its service token is not valid here');
});
