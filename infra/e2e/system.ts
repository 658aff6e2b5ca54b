/** The whole of Edgewise as real processes on free ports, with a data folder of its own. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child } from '../local/child.ts';
import { freePort } from '../local/ports.ts';
import { startCore, startEdge, untilHealthy } from '../local/processes.ts';
import { localSecrets } from '../local/secrets.ts';
import type { LocalSettings } from '../local/settings.ts';
import { defaultClaims, signLocalToken, type TokenClaims } from '../local/token.ts';
import { writePlainModelsFile } from './models-file.ts';
import { type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts';

export interface System {
  /** `http://127.0.0.1:PORT` */
  readonly address: string;
  readonly coreAddress: string;
  readonly upstream: ScriptedUpstream;
  readonly dataDir: string;
  token(claims?: Partial<TokenClaims>): Promise<string>;
  /** A request to the edge, as user `alice` unless the headers say otherwise. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** `POST /v1/chat/completions` with one user message. */
  chat(
    content: string,
    body?: object,
    headers?: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Response>;
  /** SIGKILL, as a crash is. */
  killEdge(): Promise<void>;
  killCore(): Promise<void>;
  /** SIGTERM, as an orchestrator stops it. Resolves when the process has ended. */
  stopCore(): Promise<void>;
  /** The same ports and data again. */
  restartEdge(): Promise<void>;
  restartCore(): Promise<void>;
  stop(): Promise<void>;
}

export interface SystemOptions {
  /** More environment for core and edge. */
  env?: Record<string, string>;
  /** Whether the scripted upstream is the core's model; without it the extractive model answers. */
  model?: boolean;
}

export async function startSystem({ env = {}, model = true }: SystemOptions = {}): Promise<System> {
  const dataDir = await mkdtemp(join(tmpdir(), 'edgewise-e2e-'));
  await mkdir(join(dataDir, 'logs'));
  const settings: LocalSettings = { dataDir, edgePort: await freePort(), corePort: await freePort() };
  const secrets = await localSecrets(dataDir);
  const upstream = await startScriptedUpstream();
  const upstreamEnv = model
    ? {
        OPENAI_API_KEY: 'sk-test-upstream-key',
        OPENAI_BASE_URL: upstream.baseUrl,
        OPENAI_MODEL: 'scripted-1',
      }
    : {};
  // Most tests count the calls of prompts that are all alike, as fast as they can; those of the cache and of the
  // limits switch them on.
  const usual = {
    PATH: process.env.PATH,
    EDGEWISE_GRACE_MS: '500',
    EDGEWISE_CACHE: 'off',
    EDGEWISE_LIMITS: 'off',
    EDGEWISE_ARCHIVE: 'off',
    EDGEWISE_MODELS_FILE: await writePlainModelsFile(dataDir),
  };
  const environment = { ...usual, ...upstreamEnv, ...env };
  const ready = () => untilHealthy(settings.edgePort, [core, edge]);

  let core: Child = startCore(environment, settings, secrets);
  let edge: Child = await startEdge(environment, settings, secrets);
  async function stop(): Promise<void> {
    await Promise.all([edge.stop(2000), core.stop(2000)]);
    await upstream.close();
    await rm(dataDir, { recursive: true, force: true });
  }
  try {
    await ready();
  } catch (error) {
    await stop();
    throw error;
  }

  const address = `http://127.0.0.1:${settings.edgePort}`;
  const token = (claims: Partial<TokenClaims> = {}) =>
    signLocalToken(secrets.jwtSecret, { ...defaultClaims, sub: 'alice', ...claims });
  const authorization = `Bearer ${await token()}`;

  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has('authorization')) headers.set('authorization', authorization);
    return fetch(address + path, { ...init, headers });
  }

  return {
    address,
    coreAddress: `http://127.0.0.1:${settings.corePort}`,
    upstream,
    dataDir,
    token,
    request,
    chat: (content, body = {}, headers = {}, signal) =>
      request('/v1/chat/completions', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ messages: [{ role: 'user', content }], ...body }),
        signal: signal ?? null,
      }),
    async killEdge() {
      edge.kill('SIGKILL');
      await edge.ended;
    },
    async killCore() {
      core.kill('SIGKILL');
      await core.ended;
    },
    async stopCore() {
      core.kill('SIGTERM');
      await core.ended;
    },
    async restartEdge() {
      edge = await startEdge(environment, settings, secrets);
      await ready();
    },
    async restartCore() {
      core = startCore(environment, settings, secrets);
      await ready();
    },
    stop,
  };
}
