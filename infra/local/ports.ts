import { type AddressInfo, createServer } from 'node:net';

/** @throws Error that names the variable to set, when another program listens on the port */
export async function requireFreePort(port: number, variable: string, command: string): Promise<void> {
  const server = createServer();
  try {
    await listen(server, port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code})`;
    const other = `${variable}=${port + 10} ${command}`;
    throw new Error(`Port ${port} ${why}. Set ${variable} to another one: ${other}`);
  } finally {
    server.close();
  }
}

/** A port that no program listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
