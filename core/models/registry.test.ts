import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { discoverFromEnvironment, discoverOllama } from './discover.ts';
import { type LiveRegistry, openLiveRegistry } from './live-registry.ts';
import { ModelsFileError, parseModelsFile } from './models-file.ts';
import { createRegistry, type Target } from './registry.ts';

const file = (more = '') =>
  `[providers.one]
kind = "openai"
base_url = "https://one.example/v1"
base_url_env = "ONE_URL"
api_key_env = "ONE_KEY"
[providers.open]
kind = "openai"
base_url = "http://127.0.0.1:1/v1"
[models.big]
provider = "one"
model = "big-2025"
context_length = 1000
[models.small]
provider = "open"
context_length = 100
time_limits = { connect_ms = 5 }
[aliases]
smart = ["big", "small"]
${more}`;

const extractive = scriptedModel('edgewise-extractive', [modelStart, textDelta('x'), turnEnd]);

function registryOf(env: Record<string, string>, discovered = discoverFromEnvironment(env)) {
  const targets: Target[] = [];
  const registry = createRegistry({
    file: parseModelsFile(file(), 'm.toml'),
    env,
    discovered,
    createModel: (target) => {
      targets.push(target);
      return scriptedModel(target.name, [modelStart, turnEnd]);
    },
    extractive,
  });
  return { registry, targets };
}

describe('createRegistry', () => {
  test('has a model when its key is set, and gives the key to its own address only', () => {
    const { registry, targets } = registryOf({ ONE_KEY: 'k', ONE_URL: 'https://proxy.example/v1' });
    expect(targets.map(({ name, upstream }) => [name, upstream])).toEqual([
      ['big', { kind: 'openai', baseUrl: 'https://proxy.example/v1', apiKey: 'k' }],
      ['small', { kind: 'openai', baseUrl: 'http://127.0.0.1:1/v1', apiKey: undefined }],
    ]);
    expect(targets[0]).toMatchObject({ upstreamModel: 'big-2025', reason: 'ONE_KEY is set' });
    expect(targets[1]?.timeLimits).toMatchObject({ connectMs: 5, idleMs: 30_000 });
    expect(registry.resolve('smart').name).toBe('big');
    expect(registry.resolve('auto').name).toBe('big');
  });

  test('lets an alias step over what is not there, down to the extractive model', () => {
    expect(registryOf({}).registry.resolve('smart').name).toBe('small');
    const empty = createRegistry({
      file: parseModelsFile('', 'm.toml'),
      env: {},
      discovered: [],
      createModel: () => extractive,
      extractive,
    });
    expect(empty.resolve('fast').name).toBe('edgewise-extractive');
    expect(empty.list().map(({ id }) => id)).toEqual(['auto', 'smart', 'fast', 'edgewise-extractive']);
    expect(empty.list().at(-1)?.edgewise).toMatchObject({
      generative: false,
      reason: expect.stringContaining('no language model'),
    });
  });

  test('does not know a model that is not there', () => {
    expect(() => registryOf({}).registry.resolve('big')).toThrow(
      expect.objectContaining({ code: 'model_not_found' }),
    );
    expect(() => registryOf({}).registry.resolve('__proto__')).toThrow(
      expect.objectContaining({ code: 'model_not_found' }),
    );
  });

  test('prefers the model that the environment names', () => {
    const env = { ONE_KEY: 'k', OPENAI_API_KEY: 'o', OPENAI_MODEL: 'named' };
    const { registry } = registryOf(env);
    expect(registry.resolve('smart').name).toBe('named');
    expect(registry.resolve('fast').name).toBe('named');
  });

  test('knows an Azure deployment of the environment', () => {
    const env = {
      AZURE_OPENAI_API_KEY: 'a',
      AZURE_OPENAI_ENDPOINT: 'https://r.example',
      AZURE_OPENAI_DEPLOYMENT: 'dep',
    };
    const { registry, targets } = registryOf(env);
    expect(targets[0]?.upstream).toEqual({
      kind: 'azure',
      endpoint: 'https://r.example',
      apiKey: 'a',
      apiVersion: '2024-10-21',
    });
    expect(registry.resolve('dep').name).toBe('dep');
    expect(registry.list().find(({ id }) => id === 'dep')?.edgewise.reason).toBe(
      'AZURE_OPENAI_DEPLOYMENT is set',
    );
  });

  test('tells no address and no key', () => {
    const text = JSON.stringify(registryOf({ ONE_KEY: 'very-secret' }).registry.list());
    expect(text).not.toMatch(/very-secret|example|127\.0\.0\.1/);
  });
});

describe('discoverOllama', () => {
  test('finds its models', async () => {
    const found = await discoverOllama(async () =>
      Response.json({ models: [{ name: 'llama3.2:latest', size: 1 }] }),
    );
    expect(found.map(({ name, provider }) => [name, provider])).toEqual([['llama3.2:latest', 'ollama']]);
  });
  test('leaves out what cannot chat', async () => {
    const found = await discoverOllama(async () =>
      Response.json({
        models: [
          { name: 'nomic-embed-text:latest', details: { family: 'nomic-bert' } },
          { name: 'all-minilm:latest', details: { family: 'bert' } },
          { name: 'qwen3:8b', details: { family: 'qwen3' } },
        ],
      }),
    );
    expect(found.map(({ name }) => name)).toEqual(['qwen3:8b']);
  });
  test('is content when there is none, or something else answers', async () => {
    const refused = async () => {
      throw new TypeError('refused');
    };
    expect(await discoverOllama(refused)).toEqual([]);
    expect(await discoverOllama(async () => new Response('<html>'))).toEqual([]);
    expect(await discoverOllama(async () => Response.json({ other: 1 }))).toEqual([]);
  });
});

describe('openLiveRegistry', () => {
  let dir: string;
  let live: LiveRegistry;
  let reloads: (string | undefined)[];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edgewise-models-'));
    await writeFile(join(dir, 'models.toml'), file());
    reloads = [];
    live = await openLiveRegistry({
      path: join(dir, 'models.toml'),
      env: {},
      discovered: [],
      createModel: ({ name }) => scriptedModel(name, []),
      extractive,
      onReload: (fault) => reloads.push(fault),
    });
  });
  afterEach(async () => {
    live.close();
    await rm(dir, { recursive: true });
  });
  const names = () => live.current.list().map(({ id }) => id);

  test('reads an edit without a restart, whether the file is written or replaced', async () => {
    await writeFile(
      join(dir, 'models.toml'),
      file('[models.third]\nprovider = "open"\ncontext_length = 5\n'),
    );
    await expect.poll(names).toContain('third');
    await writeFile(join(dir, 'new.toml'), file('[models.fourth]\nprovider = "open"\ncontext_length = 5\n'));
    await rename(join(dir, 'new.toml'), join(dir, 'models.toml'));
    await expect.poll(names).toContain('fourth');
    expect(names()).not.toContain('third');
  });

  test('tells plainly that there is no file', async () => {
    const opening = openLiveRegistry({
      path: join(dir, 'none.toml'),
      env: {},
      discovered: [],
      createModel: ({ name }) => scriptedModel(name, []),
      extractive,
      onReload: () => undefined,
    });
    await expect(opening).rejects.toThrow(/none\.toml cannot be read$/);
    await expect(opening).rejects.toBeInstanceOf(ModelsFileError);
  });

  test('keeps what was good when an edit is broken, and says so', async () => {
    await writeFile(join(dir, 'models.toml'), `${file()}\nbroken = `);
    await expect.poll(() => live.fault).toMatch(/models\.toml:\d+:\d+ /);
    expect(reloads.at(-1)).toBe(live.fault);
    expect(names()).toContain('small');
    await writeFile(join(dir, 'models.toml'), file());
    await expect.poll(() => live.fault).toBeUndefined();
  });

  test('reads a new version of a mounted ConfigMap, whose file is a link through a folder that is swapped', async () => {
    const mount = join(dir, 'mount');
    const version = async (name: string, model: string) => {
      await mkdir(join(mount, name), { recursive: true });
      const more = `[models.${model}]\nprovider = "open"\ncontext_length = 5\n`;
      await writeFile(join(mount, name, 'models.toml'), file(more));
      await symlink(name, join(mount, '..data_tmp'));
      await rename(join(mount, '..data_tmp'), join(mount, '..data'));
    };
    await version('..v1', 'first');
    await symlink('..data/models.toml', join(mount, 'models.toml'));
    const mounted = await openLiveRegistry({
      path: join(mount, 'models.toml'),
      env: {},
      discovered: [],
      createModel: ({ name }) => scriptedModel(name, []),
      extractive,
      onReload: () => undefined,
    });
    try {
      await version('..v2', 'second');
      await expect.poll(() => mounted.current.list().map(({ id }) => id)).toContain('second');
    } finally {
      mounted.close();
    }
  });
});
