/** A network between client and edge that drops connections: a TCP relay with a knife. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface FaultyNetwork {
  readonly address: string;
  /** Connections that were made through it. */
  readonly connections: number;
  /** How many bytes each next connection lets back before it is cut; none is cut without a number. */
  cutAfter(bytes: () => number): void;
  /** The connections there are stay open and carry nothing any more, as when a phone sleeps. */
  freeze(): void;
  close(): Promise<void>;
}

export async function startFaultyNetwork(target: string): Promise<FaultyNetwork> {
  const { hostname, port } = new URL(target);
  let budget = () => Number.POSITIVE_INFINITY;
  let connections = 0;
  const open = new Set<Socket>();
  const frozen = new WeakSet<Socket>();
  const server = createServer((client) => {
    connections++;
    let left = budget();
    const upstream = connect(Number(port), hostname);
    const cut = () => {
      client.resetAndDestroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket)).on('error', cut);
    }
    client.on('data', (bytes) => {
      if (!frozen.has(client)) upstream.write(bytes);
    });
    client.on('end', () => upstream.end());
    upstream.on('data', (bytes) => {
      if (frozen.has(client)) return;
      client.write(bytes.subarray(0, Math.max(0, left)));
      left -= bytes.length;
      if (left <= 0) setImmediate(cut);
    });
    upstream.on('end', () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    cutAfter(bytes) {
      budget = bytes;
      // Connections that wait to be used again would not know.
      for (const socket of open) socket.destroy();
    },
    freeze() {
      for (const socket of open) frozen.add(socket);
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
