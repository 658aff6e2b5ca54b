/** The scripted upstream, from the bench's side. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { UpstreamCounts, UpstreamQuestion, UpstreamReply, UpstreamScript } from './upstream-script.ts';

export interface BenchUpstream {
  readonly port: number;
  readonly pid: number;
  /** Sets the counts to zero, too. */
  behave(script: UpstreamScript): Promise<void>;
  counts(): Promise<UpstreamCounts>;
  stop(): Promise<void>;
}

type Asked = UpstreamQuestion extends infer Each
  ? Each extends { id: number }
    ? Omit<Each, 'id'>
    : never
  : never;

export async function startBenchUpstream(): Promise<BenchUpstream> {
  const child = fork(join(import.meta.dirname, 'upstream-process.ts'), { stdio: 'inherit' });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const waiting = new Map<number, (counts: UpstreamCounts) => void>();
  child.on('message', ({ id, counts }: UpstreamReply) => {
    waiting.get(id)?.(counts);
    waiting.delete(id);
  });
  let lastId = 0;

  function ask(question: Asked): Promise<UpstreamCounts> {
    const id = ++lastId;
    const { promise, resolve } = Promise.withResolvers<UpstreamCounts>();
    waiting.set(id, resolve);
    child.send({ id, ...question });
    return promise;
  }

  return {
    port,
    pid: child.pid ?? 0,
    async behave(script) {
      await ask({ ask: 'behave', script });
    },
    counts: () => ask({ ask: 'counts' }),
    async stop() {
      const ended = once(child, 'exit');
      child.send({ id: 0, ask: 'stop' });
      await ended;
    },
  };
}
