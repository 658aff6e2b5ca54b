import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import { discoverFromEnvironment, discoverOllama } from './discover.ts';
import { type LiveRegistry, openLiveRegistry } from './live-registry.ts';
import { ModelsFileError, parseModelsFile } from './models-file.ts';
import { createRegistry, type Registry } from './registry.ts';
import type { Target } from './target.ts';
import type { TargetModel } from './target-model.ts';
import { createBreaker } from './with-breaker.ts';
import { createHedgeBudget } from './with-hedge.ts';

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

const caller = { tenant: 't', priority: 'interactive' as const, deadlineMs: Date.now() + 60_000 };
const toTargetModel = (target: Target): TargetModel => ({
  target,
  breaker: createBreaker({ failures: 5, openMs: 1000 }),
  scopes: [],
  callFor: () =>
    scriptedModel(target.name, [{ ...modelStart, model: target.name } as ChatEvent, textDelta('x'), turnEnd]),
});
const chance = {
  hedge: { budget: createHedgeBudget(), wait: async () => undefined },
  now: Date.now,
  random: Math.random,
};
const extractive = scriptedModel('edgewise-extractive', [modelStart, textDelta('x'), turnEnd]);

function registryOf(
  env: Record<string, string>,
  { text = file(), discovered = discoverFromEnvironment(env), random = Math.random } = {},
) {
  const targets: Target[] = [];
  const registry = createRegistry({
    file: parseModelsFile(text, 'm.toml'),
    env,
    discovered,
    createModel: (target) => {
      targets.push(target);
      return toTargetModel(target);
    },
    extractive,
    ...chance,
    random,
  });
  return { registry, targets };
}

/** In the order in which they would be asked. */
function ladderOf(registry: Registry, name: string): string[] {
  return registry.list().find(({ id }) => id === name)?.edgewise.targets ?? [];
}
async function answererOf(registry: Registry, name: string, params = {}): Promise<string> {
  const request = { model: name, messages: [{ role: 'user' as const, content: 'hi' }], params };
  const events = await readAll(registry.resolve(name, caller).stream(request, new AbortController().signal));
  const start = events.find((event) => event.type === 'model-start');
  return start?.type === 'model-start' ? start.model : '';
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
    expect(ladderOf(registry, 'smart')).toEqual(['big', 'small', 'edgewise-extractive']);
    expect(ladderOf(registry, 'auto')).toEqual(['big', 'small', 'edgewise-extractive']);
  });

  test('lets an alias step over what is not there, down to the extractive model', async () => {
    expect(ladderOf(registryOf({}).registry, 'smart')).toEqual(['small', 'edgewise-extractive']);
    const empty = createRegistry({
      file: parseModelsFile('', 'm.toml'),
      env: {},
      discovered: [],
      createModel: toTargetModel,
      extractive,
      ...chance,
    });
    expect(ladderOf(empty, 'fast')).toEqual(['edgewise-extractive']);
    expect(empty.list().map(({ id }) => id)).toEqual(['auto', 'smart', 'fast', 'edgewise-extractive']);
    expect(empty.list().at(-1)?.edgewise).toMatchObject({
      generative: false,
      reason: expect.stringContaining('no language model'),
    });
  });

  test('does not know a model that is not there', () => {
    expect(() => registryOf({}).registry.resolve('big', caller)).toThrow(
      expect.objectContaining({ code: 'model_not_found' }),
    );
    expect(() => registryOf({}).registry.resolve('__proto__', caller)).toThrow(
      expect.objectContaining({ code: 'model_not_found' }),
    );
  });

  test('prefers the model that the environment names', () => {
    const env = { ONE_KEY: 'k', OPENAI_API_KEY: 'o', OPENAI_MODEL: 'named' };
    const { registry } = registryOf(env);
    expect(ladderOf(registry, 'smart')[0]).toBe('named');
    expect(ladderOf(registry, 'fast')[0]).toBe('named');
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
    expect(registry.resolve('dep', caller).name).toBe('dep');
    expect(registry.list().find(({ id }) => id === 'dep')?.edgewise.reason).toBe(
      'AZURE_OPENAI_DEPLOYMENT is set',
    );
  });

  test('shows no address and no key', () => {
    const text = JSON.stringify(registryOf({ ONE_KEY: 'very-secret' }).registry.list());
    expect(text).not.toMatch(/very-secret|example|127\.0\.0\.1/);
  });
});

describe('a ladder', () => {
  const text = (more: string) =>
    `[providers.open]
kind = "openai"
base_url = "http://127.0.0.1:1/v1"
quota = { requests_per_minute = 3 }
[models.plain]
provider = "open"
context_length = 100
capabilities = []
[models.seeing]
provider = "open"
context_length = 100
capabilities = ["vision"]
quota = { tokens_per_minute = 9 }
[models.large]
provider = "open"
context_length = 10000
${more}`;
  const tools = { tools: [{ type: 'function', function: { name: 'f' } }] };

  test('passes over a target that lacks what the request needs', async () => {
    const { registry } = registryOf({}, { text: text('[aliases]\nsmart = ["plain", "seeing", "large"]') });
    expect(await answererOf(registry, 'smart')).toBe('plain');
    expect(await answererOf(registry, 'smart', tools)).toBe('large');
    expect(await answererOf(registry, 'smart', { max_tokens: 500 })).toBe('large');
    expect(await answererOf(registry, 'plain', tools)).toBe('plain');
  });

  test('shares the calls of one step by weight', async () => {
    let seed = 5;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const { registry } = registryOf(
      {},
      { text: text('[aliases]\nsmart = [{ plain = 3, seeing = 1 }, "large"]'), random },
    );
    const asked = await Promise.all(Array.from({ length: 400 }, () => answererOf(registry, 'smart')));
    const plain = asked.filter((name) => name === 'plain').length;
    expect(plain).toBeGreaterThan(260);
    expect(plain).toBeLessThan(340);
    expect(asked.filter((name) => name === 'seeing')).toHaveLength(400 - plain);
    expect(ladderOf(registry, 'smart')).toEqual(['plain', 'seeing', 'large', 'edgewise-extractive']);
  });

  test('ends without the extractive model where the file says so, unless it is all there is', () => {
    const none = '[dispatch]\nlast_resort = "none"\n';
    const { registry } = registryOf({}, { text: text(`[aliases]\nsmart = ["plain"]\n${none}`) });
    expect(ladderOf(registry, 'smart')).toEqual(['plain']);
    expect(ladderOf(registryOf({}, { text: none }).registry, 'smart')).toEqual(['edgewise-extractive']);
  });

  test('knows the quotas of the key and of the model', () => {
    const { targets } = registryOf({}, { text: text('') });
    expect(targets.map(({ name, quotas, quotaProvider }) => [name, quotaProvider, quotas])).toMatchObject([
      ['plain', 'open', { provider: { requestsPerMinute: 3 } }],
      ['seeing', 'open', { provider: { requestsPerMinute: 3 }, model: { tokensPerMinute: 9 } }],
      ['large', 'open', { provider: { requestsPerMinute: 3 } }],
    ]);
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
      createModel: toTargetModel,
      extractive,
      ...chance,
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

  test('says plainly that there is no file', async () => {
    const opening = openLiveRegistry({
      path: join(dir, 'none.toml'),
      env: {},
      discovered: [],
      createModel: toTargetModel,
      extractive,
      ...chance,
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
      createModel: toTargetModel,
      extractive,
      ...chance,
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
