import { describe, expect, test } from 'vitest';
import { type EdgeEnv, parseEdgeEnv } from './env.ts';

const secret = 'x'.repeat(32);
const parse = (bindings: object) =>
  parseEdgeEnv({
    EDGEWISE_CORE_URL: 'http://core.test/',
    EDGEWISE_SERVICE_SECRET: secret,
    EDGEWISE_JWT_SECRET: secret,
    ...bindings,
  } as unknown as EdgeEnv);

test('has defaults for everything except secrets and addresses', () => {
  expect(parse({})).toMatchObject({
    coreUrls: ['http://core.test'],
    jwt: { algorithm: 'HS256', issuer: 'edgewise', audience: 'edgewise' },
    corsOrigins: [],
    maxBodyBytes: 1_048_576,
    isArchiveOn: true,
    maxUploadBytes: 26_214_400,
    window: { rounds: 5, tokens: 2048 },
    light: undefined,
    redis: undefined,
    heartbeatMs: 15_000,
  });
});

test('reads one address of the core for each region', () => {
  const { coreUrls } = parse({ EDGEWISE_CORE_URL: 'https://a.test/, https://b.test' });
  expect(coreUrls).toEqual(['https://a.test', 'https://b.test']);
  expect(() => parse({ EDGEWISE_CORE_URL: 'https://a.test, b' })).toThrow('EDGEWISE_CORE_URL');
  expect(() => parse({ EDGEWISE_CORE_URL: ' , ' })).toThrow('EDGEWISE_CORE_URL is missing');
});

test('reads lists, numbers and the light model', () => {
  const config = parse({
    EDGEWISE_CORS_ORIGINS: 'https://a.test, https://b.test',
    EDGEWISE_WINDOW_ROUNDS: '2',
    EDGEWISE_LIGHT_BASE_URL: 'http://light.test/v1/',
    EDGEWISE_LIGHT_MODEL: 'tiny',
  });
  expect(config.corsOrigins).toEqual(['https://a.test', 'https://b.test']);
  expect(config.window.rounds).toBe(2);
  expect(config.light).toEqual({
    kind: 'openai-compatible',
    baseUrl: 'http://light.test/v1',
    apiKey: undefined,
    model: 'tiny',
    maxOutputTokens: 4096,
  });
});

describe('names every fault at once', () => {
  test('of single bindings', () => {
    const faulty = () =>
      parse({
        EDGEWISE_CORE_URL: 'core',
        EDGEWISE_SERVICE_SECRET: 'short',
        EDGEWISE_JWT_ALGORITHM: 'none',
        EDGEWISE_WINDOW_TOKENS: 'many',
      });
    for (const name of [
      'EDGEWISE_CORE_URL',
      'EDGEWISE_SERVICE_SECRET',
      'EDGEWISE_JWT_ALGORITHM',
      'EDGEWISE_WINDOW_TOKENS',
    ]) {
      expect(faulty).toThrow(name);
    }
  });

  test('of bindings that belong together', () => {
    expect(() => parse({ EDGEWISE_JWT_SECRET: '' })).toThrow('EDGEWISE_JWT_SECRET');
    expect(() => parse({ EDGEWISE_JWT_ALGORITHM: 'RS256' })).toThrow('EDGEWISE_JWKS_URL');
    expect(() => parse({ EDGEWISE_LIGHT_BASE_URL: 'http://x.test' })).toThrow('EDGEWISE_LIGHT_MODEL');
    expect(() => parse({ UPSTASH_REDIS_REST_URL: 'http://x.test' })).toThrow('UPSTASH_REDIS_REST_TOKEN');
    expect(() => parse({ EDGEWISE_WORKERS_AI_MODEL: 'm' })).toThrow('AI binding');
  });

  test('and never shows a secret', () => {
    try {
      parse({ EDGEWISE_SERVICE_SECRET: 'hunter2' });
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain('hunter2');
    }
  });
});
