import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { rotateLog } from './child.ts';
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
});

test.each(['', '{"jwtSecret": "ab', '{}', 'null'])('secrets that read %j are set aside', async (content) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'edgewise-secrets-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const path = join(dataDir, 'secrets.json');
  await writeFile(path, content);
  const secrets = await localSecrets(dataDir);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(secrets);
  const [aside] = (await readdir(dataDir)).filter((name) => name.startsWith('secrets.json.damaged-'));
  expect(await readFile(join(dataDir, aside ?? ''), 'utf8')).toBe(content);
});

test('secrets from before sealed states get the one that is missing', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'edgewise-secrets-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  await writeFile(
    join(dataDir, 'secrets.json'),
    JSON.stringify({ jwtSecret: 'users', serviceSecret: 'core' }),
  );
  const secrets = await localSecrets(dataDir);
  expect(secrets).toMatchObject({ jwtSecret: 'users', serviceSecret: 'core' });
  expect(await localSecrets(dataDir)).toEqual(secrets);
});

test('a log over its size is kept as one older file', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'edgewise-log-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const log = join(dir, 'core.log');
  await rotateLog(log, 10);
  await writeFile(log, 'short');
  await rotateLog(log, 10);
  expect(await readdir(dir)).toEqual(['core.log']);
  await writeFile(log, 'longer than ten bytes');
  await rotateLog(log, 10);
  expect(await readFile(`${log}.1`, 'utf8')).toBe('longer than ten bytes');
  expect(await readFile(log, 'utf8')).toBe('');
});
