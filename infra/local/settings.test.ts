import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { localSecrets } from './secrets.ts';
import { edgeEnvironment, projectRoot, readLocalSettings } from './settings.ts';

test('ports and folder have defaults', () => {
  const dataDir = join(projectRoot, '.data');
  expect(readLocalSettings({})).toEqual({ edgePort: 8787, corePort: 8788, dataDir });
  expect(readLocalSettings({ PORT: '', EDGEWISE_DATA: '' })).toMatchObject({ edgePort: 8787, dataDir });
  expect(readLocalSettings({ PORT: '9000', CORE_PORT: '9001', EDGEWISE_DATA: '/a b' })).toEqual({
    edgePort: 9000,
    corePort: 9001,
    dataDir: '/a b',
  });
});

test.each(['0', '65536', 'abc', '80.5', '-1', '1e3', ' 80'])('PORT=%s is refused by name', (PORT) => {
  expect(() => readLocalSettings({ PORT })).toThrow(`PORT must be a port from 1 to 65535, but is "${PORT}".`);
  expect(() => readLocalSettings({ CORE_PORT: PORT })).toThrow('CORE_PORT must be a port');
});

test('one port for both is refused', () => {
  expect(() => readLocalSettings({ PORT: '8788' })).toThrow('PORT and CORE_PORT are both 8788');
});

test('the Worker gets its own variables and nothing else of the environment', () => {
  const settings = readLocalSettings({});
  const secrets = { jwtSecret: 'made here', serviceSecret: 'between us', stateSecret: 'sealing' };
  const env = {
    HOME: '/root',
    OPENAI_API_KEY: 'sk-1',
    EDGEWISE_WINDOW_ROUNDS: '3',
    EDGEWISE_LIGHT_MODEL: '',
  };
  const variables = ['EDGEWISE_JWT_SECRET', 'EDGEWISE_WINDOW_ROUNDS', 'EDGEWISE_LIGHT_MODEL'];
  expect(edgeEnvironment(env, settings, secrets, variables)).toEqual({
    EDGEWISE_CORE_URL: 'http://127.0.0.1:8788',
    EDGEWISE_SERVICE_SECRET: 'between us',
    EDGEWISE_JWT_SECRET: 'made here',
    EDGEWISE_GUESTS: 'on',
    EDGEWISE_STATE_KEYS: 'local:sealing',
    EDGEWISE_WINDOW_ROUNDS: '3',
  });
  expect(edgeEnvironment({ EDGEWISE_JWT_SECRET: 'given' }, settings, secrets, variables)).toMatchObject({
    EDGEWISE_JWT_SECRET: 'given',
  });
});

test('secrets are created once, with 32 bytes, readable by their owner alone', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'edgewise-secrets-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  const dataDir = join(parent, 'data');
  const [first, second] = await Promise.all([localSecrets(dataDir), localSecrets(join(parent, 'other'))]);
  expect(Buffer.from(first.jwtSecret, 'base64url')).toHaveLength(32);
  expect(Buffer.from(first.serviceSecret, 'base64url')).toHaveLength(32);
  expect(new Set([...Object.values(first), ...Object.values(second)])).toHaveLength(6);
  expect(await localSecrets(dataDir)).toEqual(first);
  const path = join(dataDir, 'secrets.json');
  expect((await stat(path)).mode & 0o777).toBe(0o600);

  await writeFile(path, '{}');
  await expect(localSecrets(dataDir)).rejects.toThrow('holds no secrets of Edgewise');
  expect(await readFile(path, 'utf8')).toBe('{}');
});
