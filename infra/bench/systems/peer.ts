/**
 * The peer: `@portkey-ai/gateway`, pinned, in a folder of its own. Installed by npm when the bench first runs; its
 * scripts are not run.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startChild } from '../../local/child.ts';
import { freePort } from '../../local/ports.ts';
import type { BenchTarget } from './target.ts';
import { untilAnswering } from './until-answering.ts';

const peerDir = join(import.meta.dirname, '../peer');
const program = join(peerDir, 'node_modules/@portkey-ai/gateway/build/start-server.js');

export interface Peer extends BenchTarget {
  stop(): Promise<void>;
}

export async function startPeer(upstreamPort: number): Promise<Peer> {
  if (!existsSync(program)) {
    console.error('Installing the peer ...');
    await promisify(execFile)('npm', ['ci', '--ignore-scripts'], { cwd: peerDir });
  }
  const dir = await mkdtemp(join(tmpdir(), 'edgewise-peer-'));
  const port = await freePort();
  const child = startChild({
    name: 'peer',
    command: process.execPath,
    args: [program, `--port=${port}`, '--headless'],
    cwd: peerDir,
    env: { PATH: process.env.PATH, NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
    logFile: join(dir, 'peer.log'),
  });
  const url = `http://127.0.0.1:${port}/v1/chat/completions`;
  await untilAnswering(url, child);
  return {
    name: 'peer',
    url,
    headers: {
      authorization: 'Bearer sk-bench',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
    },
    pid: child.pid,
    async stop() {
      await child.stop(2000);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
