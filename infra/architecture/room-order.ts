/**
 * The rooms of each side, from top to bottom. A file may import from its own room and from those below it; an import
 * that runs upward is a fault. A room is a folder of a side, or a file that stands beside the folders.
 */
export type Side = 'edge' | 'core' | 'shared';

export const roomOrder: Readonly<Record<Side, readonly string[]>> = {
  edge: [
    'worker.ts',
    'services.ts',
    'app.ts',
    'env.ts',
    'variables.ts',
    'http',
    'auth',
    'chat',
    'session',
    'filter',
    'plugins',
    'cache',
    'wire',
    'limits',
    'models',
    'core-client',
    'observe',
    'alarm.ts',
    'redis.ts',
    'tenants.ts',
    'reply.ts',
    'bindings.ts',
    'web',
  ],
  core: [
    'server.ts',
    'function.ts',
    'app.ts',
    'http',
    'services.ts',
    'user-data',
    'batches',
    'archive',
    'memory',
    'knowledge',
    'search',
    'embeddings',
    'tasks',
    'usage',
    'keys',
    'env.ts',
    'generations',
    'models',
    'providers',
    'quota',
    'redis.ts',
    'observe',
    'db',
    'text',
  ],
  shared: [
    'client',
    'testing',
    'observe',
    'protocol',
    'wire',
    'turn',
    'model',
    'stream',
    'errors.ts',
    'limit-mark.ts',
    'hash.ts',
    'lru-cache.ts',
  ],
};

/** The side and the room of a file. */
export function roomOf(path: string): { side: string; room: string } {
  const [side = '', room = ''] = path.split('/');
  return { side, room };
}
