/** Two core processes on one Redis, each asked by signed calls, as an edge asks. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCoreCall } from '../../edge/core-client/core-call.ts';
import { createCoreRegions } from '../../edge/core-client/core-regions.ts';
import type { ChatRequest } from '../../shared/model/chat-model.ts';
import {
  decodeGenerationEvents,
  type GenerationRequest,
  type NumberedChatEvent,
} from '../../shared/protocol/generation-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import { importServiceKey } from '../../shared/protocol/service-token.ts';
import type { Child } from '../local/child.ts';
import { freePort } from '../local/ports.ts';
import { startCore } from '../local/processes.ts';
import { type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts';
import { type RedisService, startRedis } from './services.ts';

export interface CoreProcess {
  process: Child;
  start(request: Partial<ChatRequest> & { id: string }, of?: Partial<RequestContext>): Promise<Events>;
  attach(id: string, after: number): Promise<Events>;
  cancel(id: string): Promise<unknown>;
}

type Events = AsyncIterable<NumberedChatEvent>;

export interface TwoCores {
  readonly cores: [CoreProcess, CoreProcess];
  readonly upstream: ScriptedUpstream;
  readonly redis: RedisService;
  stop(): Promise<void>;
}

const READY_MS = 20_000;

export async function startTwoCores(env: Record<string, string> = {}): Promise<TwoCores> {
  const dataDir = await mkdtemp(join(tmpdir(), 'edgewise-cores-'));
  const [upstream, redis] = await Promise.all([startScriptedUpstream(), startRedis()]);
  const { port } = redis.redis.options;
  const secrets = {
    serviceSecret: crypto.randomUUID() + crypto.randomUUID(),
    jwtSecret: '',
    stateSecret: '',
  };
  const environment = {
    PATH: process.env.PATH,
    OPENAI_API_KEY: 'sk-test-upstream-key',
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_MODEL: 'scripted-1',
    EDGEWISE_GRACE_MS: '500',
    EDGEWISE_REDIS_URL: `redis://127.0.0.1:${port}`,
    ...env,
  };

  async function start(name: string): Promise<CoreProcess> {
    const dir = join(dataDir, name);
    await mkdir(join(dir, 'logs'), { recursive: true });
    const corePort = await freePort();
    const child = startCore(environment, { dataDir: dir, edgePort: 0, corePort }, secrets);
    const url = `http://127.0.0.1:${corePort}`;
    const call = createCoreCall({
      regions: createCoreRegions({ urls: [url], fetch, now: Date.now, defer: () => undefined }),
      serviceKey: importServiceKey(secrets.serviceSecret),
      now: Date.now,
    });
    const contextOf = (of: Partial<RequestContext> = {}): RequestContext => ({
      requestId: crypto.randomUUID(),
      tenant: 't',
      user: 'u',
      plan: 'p',
      scopes: [],
      deadlineMs: Date.now() + 120_000,
      ...of,
    });
    const eventsOf = (response: Response) => decodeGenerationEvents(response.body as ReadableStream);
    await untilListening(url, child);
    return {
      process: child,
      async start(request, of) {
        const full: GenerationRequest = {
          model: 'scripted-1',
          messages: [{ role: 'user', content: 'hi' }],
          params: {},
          detached: true,
          ...request,
        };
        const path = '/v1/generations';
        return eventsOf(await call(contextOf(of), { method: 'POST', path, body: JSON.stringify(full) }));
      },
      async attach(id, after) {
        const path = `/v1/generations/${id}/events?after=${after}`;
        return eventsOf(await call(contextOf(), { method: 'GET', path }));
      },
      async cancel(id) {
        return (await call(contextOf(), { method: 'POST', path: `/v1/generations/${id}/cancel` })).json();
      },
    };
  }

  const cores = await Promise.all([start('one'), start('two')]);
  return {
    cores,
    upstream,
    redis,
    async stop() {
      await Promise.all(cores.map(({ process }) => process.stop(2000)));
      await Promise.all([upstream.close(), redis.stop()]);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function untilListening(url: string, child: Child): Promise<void> {
  for (const endMs = Date.now() + READY_MS; Date.now() < endMs; ) {
    const answer = await fetch(`${url}/healthz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The core was not ready:\n${await child.lastLogLines()}`);
}
