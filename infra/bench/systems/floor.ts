/** The floors: bare Hono on workerd, bundled, configured and run as the edge is. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../../local/child.ts';
import { freePort } from '../../local/ports.ts';
import { compatibilityDate, compatibilityFlags } from '../../local/workerd-config.ts';
import { runWrangler } from '../../local/wrangler.ts';
import type { BenchTarget } from './target.ts';
import { untilAnswering } from './until-answering.ts';

const { default: workerdProgram } = createRequire(import.meta.url)('workerd') as { default: string };
const floorsDir = join(import.meta.dirname, '../floors');

export interface Floor extends BenchTarget {
  stop(): Promise<void>;
}

export async function startFloor(
  worker: 'json-handler' | 'proxy' | 'reading-proxy' | 'guarded-proxy',
  upstreamPort: number,
): Promise<Floor> {
  const dir = await mkdtemp(join(tmpdir(), 'edgewise-floor-'));
  await mkdir(join(dir, 'out'));
  const args = [
    'deploy',
    `${worker}.ts`,
    '--config',
    'wrangler.toml',
    '--dry-run',
    '--outdir',
    join(dir, 'out'),
  ];
  await runWrangler(args, floorsDir);
  await rename(join(dir, `out/${worker}.js`), join(dir, 'worker.js'));
  const port = await freePort();
  const config = join(dir, 'config.capnp');
  await writeFile(config, toConfig(port, `http://127.0.0.1:${upstreamPort}/v1`));
  const child = startChild({
    name: `floor-${worker}`,
    command: workerdProgram,
    args: ['serve', config],
    cwd: dir,
    env: { PATH: process.env.PATH },
    logFile: join(dir, 'floor.log'),
  });
  const url = `http://127.0.0.1:${port}/v1/chat/completions`;
  await untilAnswering(url, child);
  return {
    name: 'floor',
    url,
    headers: {},
    pid: child.pid,
    async stop() {
      await child.stop(1000);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function toConfig(port: number, upstream: string): string {
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "floor", worker = .floor),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "floor")],
);

const floor :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "${compatibilityDate}",
  compatibilityFlags = [${compatibilityFlags.map((flag) => `"${flag}"`).join(', ')}],
  bindings = [(name = "UPSTREAM", text = "${upstream}")],
  globalOutbound = "internet",
);
`;
}
