/** A real Prometheus, with our own configuration and rules, pointed at the processes of a test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { freePort } from '../local/ports.ts';
import { projectRoot } from '../local/settings.ts';

export interface PrometheusService {
  /** Value of an instant query's only series; `undefined` where there is none. */
  value(query: string): Promise<number | undefined>;
  /** An answer of its HTTP interface: `rules`, `targets`. */
  // biome-ignore lint/suspicious/noExplicitAny: Prometheus's own JSON
  read(path: string): Promise<any>;
  stop(): Promise<void>;
}

const READY_MS = 20_000;

/** @param targets `host:port` by job; jobs of the configuration without one are left out */
export async function startPrometheus(
  targets: Readonly<Record<string, string>>,
  token: string,
): Promise<PrometheusService> {
  const dir = await mkdtemp(join(tmpdir(), 'edgewise-prometheus-'));
  const folder = join(projectRoot, 'infra/operate/monitoring/prometheus');
  await cp(join(folder, 'rules'), join(dir, 'rules'), { recursive: true });
  await writeFile(join(dir, 'token'), token);
  const config = parse(await readFile(join(folder, 'prometheus.yml'), 'utf8')) as {
    global: object;
    alerting?: object;
    scrape_configs: { job_name: string; authorization: object; static_configs: object[] }[];
  };
  config.global = { scrape_interval: '500ms', scrape_timeout: '400ms', evaluation_interval: '500ms' };
  // Nobody is told of what a test does.
  delete config.alerting;
  config.scrape_configs = config.scrape_configs.flatMap((scrape) => {
    const target = targets[scrape.job_name];
    if (target === undefined) return [];
    const authorization = { credentials_file: join(dir, 'token') };
    return [{ ...scrape, authorization, static_configs: [{ targets: [target] }] }];
  });
  await writeFile(join(dir, 'prometheus.yml'), stringify(config));
  const port = await freePort();
  const server = spawn(
    'prometheus',
    [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  server.stderr.on('data', (bytes) => {
    said += bytes;
  });
  const address = `http://127.0.0.1:${port}`;
  for (const endMs = Date.now() + READY_MS; ; ) {
    if ((await fetch(`${address}/-/ready`).catch(() => undefined))?.ok) break;
    if (Date.now() > endMs || server.exitCode !== null) throw new Error(`Prometheus did not start:\n${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const read = async (path: string) => {
    const { data } = (await (await fetch(`${address}/api/v1/${path}`)).json()) as { data: unknown };
    return data;
  };
  return {
    read,
    async value(query) {
      const { result } = (await read(`query?query=${encodeURIComponent(query)}`)) as {
        result: { value: [number, string] }[];
      };
      return result[0] && Number(result[0].value[1]);
    },
    async stop() {
      server.kill('SIGTERM');
      await once(server, 'exit');
      await rm(dir, { recursive: true, force: true });
    },
  };
}
