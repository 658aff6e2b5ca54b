/** What the rows measure. Owns the processes: each is started when a row first asks for it. */
import { type BenchEdge, type BenchEdgeOptions, startBenchEdge } from './edge.ts';
import { type Floor, startFloor } from './floor.ts';
import { type Peer, startPeer } from './peer.ts';
import type { BenchTarget } from './target.ts';
import { type BenchUpstream, startBenchUpstream } from './upstream.ts';

export interface BenchSystems {
  readonly upstream: BenchUpstream;
  /** The upstream itself. */
  readonly direct: BenchTarget;
  edge(): Promise<BenchEdge>;
  jsonFloor(): Promise<Floor>;
  proxyFloor(): Promise<Floor>;
  /** A proxy that holds each piece in JavaScript. */
  readingFloor(): Promise<Floor>;
  /** A proxy with the same guards, written by hand, asked with the same token. */
  guardedFloor(): Promise<Floor>;
  peer(): Promise<Peer>;
  stop(): Promise<void>;
}

export async function startSystems(
  options: Pick<BenchEdgeOptions, 'inspector' | 'env'> = {},
): Promise<BenchSystems> {
  const upstream = await startBenchUpstream();
  const { port } = upstream;
  const started: { stop(): Promise<void> }[] = [];
  const once = <T extends { stop(): Promise<void> }>(start: () => Promise<T>) => {
    let starting: Promise<T> | undefined;
    return () =>
      (starting ??= start().then((system) => {
        started.push(system);
        return system;
      }));
  };
  const edge = once(() => startBenchEdge({ upstreamPort: port, ...options }));
  return {
    upstream,
    direct: {
      name: 'direct',
      url: `http://127.0.0.1:${port}/v1/chat/completions`,
      headers: {},
      pid: upstream.pid,
    },
    edge,
    jsonFloor: once(() => startFloor('json-handler', port)),
    proxyFloor: once(() => startFloor('proxy', port)),
    readingFloor: once(() => startFloor('reading-proxy', port)),
    guardedFloor: once(async () => ({
      ...(await startFloor('guarded-proxy', port)),
      headers: (await edge()).headers,
    })),
    peer: once(() => startPeer(port)),
    async stop() {
      for (const system of started.reverse()) await system.stop();
      await upstream.stop();
    },
  };
}
