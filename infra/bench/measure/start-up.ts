/** Processor time of a Worker's start: workerd with it until its first answer, less workerd with an empty one. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../../local/child.ts';
import { freePort } from '../../local/ports.ts';
import { compatibilityDate, writeWorkerdConfig } from '../../local/workerd-config.ts';
import { untilAnswering } from '../systems/until-answering.ts';
import { median } from './statistics.ts';

const { default: workerdProgram } = createRequire(import.meta.url)('workerd') as { default: string };
const STARTS = 5;

/** Needs a built Worker. */
export async function measureStartUp(): Promise<{ processorMs: number; how: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'edgewise-start-'));
  const added: number[] = [];
  try {
    for (let start = 0; start < STARTS; start++) {
      const port = await freePort();
      const edge = await startMs(dir, port, await writeWorkerdConfig({ dir, port, bindings: [] }));
      const emptyPort = await freePort();
      added.push(edge - (await startMs(dir, emptyPort, await writeEmpty(join(dir, 'empty'), emptyPort))));
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return {
    processorMs: median(added),
    how: `Start-up: processor time of workerd until the first answer, parsing, compiling and that request included, less that with an empty Worker; median of ${STARTS}.`,
  };
}

async function startMs(dir: string, port: number, config: string): Promise<number> {
  const child = startChild({
    name: 'workerd',
    command: workerdProgram,
    args: ['serve', config],
    cwd: dir,
    env: { PATH: process.env.PATH },
    logFile: join(dir, 'start.log'),
  });
  try {
    await untilAnswering(`http://127.0.0.1:${port}/`, child);
    return await threadsMs(child.pid);
  } finally {
    await child.stop(1000);
  }
}

/** Time on a processor of all threads, from the scheduler's own count in nanoseconds. */
async function threadsMs(pid: number): Promise<number> {
  let nanoseconds = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const [ran] = (await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')).split(' ');
    nanoseconds += Number(ran);
  }
  return nanoseconds / 1e6;
}

async function writeEmpty(dir: string, port: number): Promise<string> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'worker.js'), 'export default { fetch: () => new Response("") };');
  const path = join(dir, 'config.capnp');
  await writeFile(
    path,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "empty", worker = .empty)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "empty")],
);
const empty :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "${compatibilityDate}",
);
`,
  );
  return path;
}
