import type { CoreClient } from '../core-client/core-client.ts';
import type { EdgeContext } from './edge-hono.ts';

export interface HealthRouteOptions {
  core: Pick<CoreClient, 'health'>;
  lightModel: string | undefined;
  sessionStore: 'redis' | 'durable-object';
}

/** `GET /healthz`: 200 when the edge works; the body contains the state of the core. */
export function healthRoute({ core, lightModel, sessionStore }: HealthRouteOptions) {
  return async function checkHealth(c: EdgeContext): Promise<Response> {
    const { ok, detail, regions } = await core.health();
    return c.json({
      status: 'ok',
      light_model: lightModel ?? null,
      session_store: sessionStore,
      core: ok ? detail : { status: 'unreachable' },
      ...(regions.length > 1 && { core_regions: regions }),
    });
  };
}
