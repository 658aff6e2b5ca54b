/** An edge before two cores, as two regions are: one is near, and the other, listed first, is far. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child } from '../local/child.ts';
import { freePort } from '../local/ports.ts';
import { startCore, startEdge, untilHealthy } from '../local/processes.ts';
import { localSecrets } from '../local/secrets.ts';
import { defaultClaims, signLocalToken } from '../local/token.ts';
import { startDistance } from './distance.ts';
import { writePlainModelsFile } from './models-file.ts';
import { type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts';

export interface RegionOfCore {
  /** Generations that ended here, since it was started. */
  ended(): Promise<number>;
  kill(): Promise<void>;
  /** On the same port again. */
  restart(): void;
}

export interface Regions {
  readonly near: RegionOfCore;
  readonly far: RegionOfCore;
  /** Takes the way to the near one away; it goes on by itself. */
  cutOffNear(): Promise<void>;
  readonly upstream: ScriptedUpstream;
  chat(content: string, session?: string): Promise<Response>;
  health(): Promise<{ core_regions?: string[] }>;
  stop(): Promise<void>;
}

/** One way. Far enough for the noise of a busy machine to make no difference. */
const FAR_MS = 60;
const READY_MS = 20_000;
const METRICS_TOKEN = 'metrics-token-of-the-tests';

/** @param redisUrl Where both cores keep what runs; they share nothing without one. */
export async function startRegions(redisUrl?: string): Promise<Regions> {
  const dataDir = await mkdtemp(join(tmpdir(), 'edgewise-regions-'));
  const [upstream, secrets, edgePort] = await Promise.all([
    startScriptedUpstream(),
    localSecrets(dataDir),
    freePort(),
  ]);
  const ports = { near: await freePort(), far: await freePort() };
  const distance = await startDistance(ports.far, FAR_MS);
  const way = await startDistance(ports.near, 0);
  const environment = {
    PATH: process.env.PATH,
    OPENAI_API_KEY: 'sk-test-upstream-key',
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_MODEL: 'scripted-1',
    EDGEWISE_GRACE_MS: '500',
    EDGEWISE_CACHE: 'off',
    EDGEWISE_LIMITS: 'off',
    EDGEWISE_METRICS_TOKEN: METRICS_TOKEN,
    EDGEWISE_ARCHIVE: 'off',
    EDGEWISE_MODELS_FILE: await writePlainModelsFile(dataDir),
    EDGEWISE_CORE_URL: `${distance.address},${way.address}`,
    ...(redisUrl !== undefined && { EDGEWISE_REDIS_URL: redisUrl }),
  };
  const children: Child[] = [];

  async function startRegion(corePort: number): Promise<RegionOfCore> {
    const dir = join(dataDir, String(corePort));
    await mkdir(join(dir, 'logs'), { recursive: true });
    const start = () => {
      const child = startCore(environment, { dataDir: dir, edgePort, corePort }, secrets);
      children.push(child);
      return child;
    };
    let child = start();
    return {
      async ended() {
        const answer = await fetch(`http://127.0.0.1:${corePort}/metrics`, {
          headers: { authorization: `Bearer ${METRICS_TOKEN}` },
        });
        if (!answer.ok) throw new Error(`the metrics answered with ${answer.status}`);
        const counts = (await answer.text()).matchAll(
          /^gen_ai_server_request_duration_seconds_count\{.*\} (\d+)$/gm,
        );
        return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
      },
      async kill() {
        child.kill('SIGKILL');
        await child.ended;
      },
      restart() {
        child = start();
      },
    };
  }

  const [near, far] = [await startRegion(ports.near), await startRegion(ports.far)];
  await mkdir(join(dataDir, 'logs'), { recursive: true });
  const edge = await startEdge(environment, { dataDir, edgePort, corePort: ports.near }, secrets);
  await untilHealthy(edgePort, [edge, ...children]);
  const address = `http://127.0.0.1:${edgePort}`;
  const health = async () =>
    (await (await fetch(`${address}/healthz`)).json()) as { core_regions?: string[] };
  for (const endMs = Date.now() + READY_MS; (await health()).core_regions?.includes('down'); ) {
    if (Date.now() > endMs) throw new Error('the second region was not ready');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const token = await signLocalToken(secrets.jwtSecret, { ...defaultClaims, sub: 'alice' });
  return {
    near,
    far,
    cutOffNear: () => way.close(),
    upstream,
    chat: (content, session) =>
      fetch(`${address}/v1/chat/completions`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          ...(session !== undefined && { 'x-session-id': session }),
        },
        body: JSON.stringify({ stream: true, messages: [{ role: 'user', content }] }),
      }),
    health,
    async stop() {
      await Promise.all([edge, ...children].map((child) => child.stop(2000)));
      await Promise.all([upstream.close(), distance.close(), way.close()]);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
