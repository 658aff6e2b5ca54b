/**
 * Edgewise as the bench runs it: core and edge as processes, every guard on. Users' tokens are signed and checked,
 * a plan with large limits is kept, a list of 10,000 words is looked for, the cache is on. The edge's light model is
 * the scripted upstream, and so is the core's. The archive, which is told after the answers, is off unless `env` says otherwise.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFolding } from '../../../edge/filter/folding.ts';
import { buildEdge } from '../../local/build.ts';
import { assetsDir } from '../../local/bundle-paths.ts';
import { type Child, startChild } from '../../local/child.ts';
import { readEdgeVariables } from '../../local/edge-variables.ts';
import { characterTable } from '../../local/filter-assets.ts';
import { freePort } from '../../local/ports.ts';
import { startCore, untilHealthy } from '../../local/processes.ts';
import { localSecrets } from '../../local/secrets.ts';
import { edgeEnvironment, type LocalSettings, projectRoot } from '../../local/settings.ts';
import { defaultClaims, signLocalToken } from '../../local/token.ts';
import { compileWords } from '../../local/word-lists/compile-words.ts';
import { parseWordList } from '../../local/word-lists/word-list.ts';
import { writeWorkerdConfig } from '../../local/workerd-config.ts';
import { inventedWords } from '../filter/word-samples.ts';
import type { BenchTarget } from './target.ts';

const { default: workerdProgram } = createRequire(import.meta.url)('workerd') as { default: string };

/** Longest word list of the bench. */
const WORDS = 10_000;
const large = {
  requests_per_minute: 1e9,
  tokens_per_minute: 1e12,
  turns_at_once: 1e7,
  usd_per_day: 1e6,
  usd_per_month: 1e7,
};

export interface BenchEdge extends BenchTarget {
  readonly address: string;
  readonly dataDir: string;
  /** Where workerd's inspector listens. */
  readonly inspectorPort: number | undefined;
  authorization(user: string, tenant?: string, scope?: string): Promise<string>;
  /** Stops core and edge, does that work, and starts them again on the same data. The `pid` is another one then. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export interface BenchEdgeOptions {
  upstreamPort: number;
  /** More bindings of the edge. */
  env?: Record<string, string>;
  /** Whether its inspector is open, for profiles. */
  inspector?: boolean;
}

// long: starts one system step by step; each step needs the one before
export async function startBenchEdge({
  upstreamPort,
  env = {},
  inspector,
}: BenchEdgeOptions): Promise<BenchEdge> {
  await buildEdge({ isReadable: inspector === true });
  const dataDir = await mkdtemp(join(tmpdir(), 'edgewise-bench-'));
  await mkdir(join(dataDir, 'logs'));
  const settings: LocalSettings = { dataDir, edgePort: await freePort(), corePort: await freePort() };
  const secrets = await localSecrets(dataDir);
  const upstreamUrl = `http://127.0.0.1:${upstreamPort}/v1`;
  const environment: Record<string, string | undefined> = {
    PATH: process.env.PATH,
    EDGEWISE_GRACE_MS: '500',
    EDGEWISE_LIGHT_BASE_URL: upstreamUrl,
    EDGEWISE_LIGHT_MODEL: 'bench-1',
    EDGEWISE_PLANS: JSON.stringify({ bench: { user: large, key: {}, tenant: large } }),
    // The archive's core and database would take the processors that the edge is measured on.
    EDGEWISE_ARCHIVE: 'off',
    // The floors write no line per request either.
    EDGEWISE_LOG_LEVEL: 'warn',
    EDGEWISE_METRICS_TOKEN: 'a-token-to-read-metrics',
    OPENAI_API_KEY: 'sk-bench',
    OPENAI_BASE_URL: upstreamUrl,
    OPENAI_MODEL: 'bench-heavy',
    ...env,
  };
  const inspectorPort = inspector ? await freePort() : undefined;
  const bindings = edgeEnvironment(environment, settings, secrets, await readEdgeVariables());
  const dir = join(dataDir, 'edge');
  const config = await writeWorkerdConfig({
    dir,
    port: settings.edgePort,
    bindings: Object.keys(bindings),
    assetsDir: await writeAssets(join(dataDir, 'assets')),
  });
  const start = () => {
    const core = startCore(environment, settings, secrets);
    const edge: Child = startChild({
      name: 'edge',
      command: workerdProgram,
      args: ['serve', ...(inspectorPort ? [`--inspector-addr=127.0.0.1:${inspectorPort}`] : []), config],
      cwd: projectRoot,
      env: { PATH: process.env.PATH, ...bindings },
      logFile: join(dataDir, 'logs/edge.log'),
    });
    void edge.ended.then(async (how) => {
      if (!isStopping) console.error(`The edge ${how}:\n${await edge.lastLogLines()}`);
    });
    return { core, edge };
  };
  let isStopping = false;
  let running = start();
  async function stopBoth(): Promise<void> {
    isStopping = true;
    await Promise.all([running.edge.stop(2000), running.core.stop(2000)]);
  }
  async function stop(): Promise<void> {
    await stopBoth();
    await rm(dataDir, { recursive: true, force: true });
  }
  const untilReady = () => untilHealthy(settings.edgePort, [running.core, running.edge]);
  try {
    await untilReady();
  } catch (error) {
    await stop();
    throw error;
  }
  const authorization = async (user: string, tenant = 'bench', scope = '') =>
    `Bearer ${await signLocalToken(secrets.jwtSecret, { ...defaultClaims, sub: user, tenant, scope, plan: 'bench' })}`;
  const address = `http://127.0.0.1:${settings.edgePort}`;
  return {
    name: 'edge',
    address,
    url: `${address}/v1/chat/completions`,
    headers: { authorization: await authorization('alice') },
    get pid() {
      return running.edge.pid;
    },
    dataDir,
    inspectorPort,
    authorization,
    async restart(meanwhile) {
      await stopBoth();
      await meanwhile();
      // What it wrote shall reach the disk now and not while something is measured.
      await promisify(execFile)('sync', ['--file-system', dataDir]);
      isStopping = false;
      running = start();
      await untilReady();
    },
    stop,
  };
}

/** The edge's assets with a word list of a usual length. */
async function writeAssets(to: string): Promise<string> {
  await cp(assetsDir, to, { recursive: true });
  const { en, zh } = inventedWords(WORDS);
  const example = await readFile(join(projectRoot, 'infra/config/word-lists/words.example.txt'), 'utf8');
  const entries = parseWordList(`${example}\n[mask]\n${[...en, ...zh].join('\n')}`);
  const compiled = compileWords(entries, createFolding(await characterTable()));
  await writeFile(join(to, 'policy/words.bin'), new Uint8Array(compiled));
  return to;
}
