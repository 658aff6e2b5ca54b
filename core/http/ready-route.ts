import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { checkReadiness, type Readiness } from '../../shared/protocol/readiness.ts';
import type { CoreConfig } from '../env.ts';
import type { CoreServices } from '../services.ts';
import type { CoreContext } from './core-hono.ts';

/** What a database needs at least to go on writing. */
const MIN_FREE_BYTES = 64 * 1024 * 1024;
/** Anybody may ask: the checks run at most once in this time. */
const FRESH_MS = 1000;

type ReadyRouteOptions = Pick<CoreServices, 'database' | 'generations' | 'registry' | 'pingRedis' | 'now'> & {
  config: Pick<CoreConfig, 'databaseUrl' | 'databaseDir'>;
};

export interface ReadyRoute {
  /** `GET /readyz`: 200 when every check is `ok`, else 503. Open to all, so it names no address. */
  open(c: CoreContext): Promise<Response>;
  /** `GET /v1/readyz`: the same body with status 200. That it is answered proves the signature and both clocks. */
  signed(c: CoreContext): Promise<Response>;
}

export function readyRoute(options: ReadyRouteOptions): ReadyRoute {
  const { database, generations, registry, pingRedis, config, now } = options;
  let checkedAtMs = Number.NEGATIVE_INFINITY;
  let latest: Promise<Readiness> | undefined;

  function readiness(): Promise<Readiness> {
    if (latest && now() - checkedAtMs < FRESH_MS) return latest;
    checkedAtMs = now();
    latest = checkReadiness({
      process: async () => (generations.isDraining ? 'stopping' : 'ok'),
      models_file: async () => (registry.fault === undefined ? 'ok' : 'broken'),
      database: async () => {
        await database.acrossTenants(async () => undefined);
        return 'ok';
      },
      ...(config.databaseUrl === undefined && config.databaseDir && { disk: diskCheck(config.databaseDir) }),
      ...(pingRedis && { redis: pingRedis }),
    });
    return latest;
  }

  return {
    async open(c) {
      const result = await readiness();
      return c.json(result, result.status === 'ready' ? 200 : 503);
    },
    signed: async (c) => c.json(await readiness()),
  };
}

function diskCheck(folder: string): () => Promise<string> {
  return async () => {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < MIN_FREE_BYTES) return 'full';
    const isWritable = await access(folder, constants.W_OK).then(
      () => true,
      () => false,
    );
    return isWritable ? 'ok' : 'read_only';
  };
}
