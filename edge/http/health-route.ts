import type { EdgeContext } from './edge-hono.ts';

/** `GET /healthz`: 200 when the edge works; what it knows of the core stands in the body. */
export async function healthRoute(c: EdgeContext): Promise<Response> {
  const { core, config } = c.get('services');
  const { ok, detail, regions } = await core.health();
  return c.json({
    status: 'ok',
    light_model: config.light?.model ?? null,
    session_store: config.redis ? 'redis' : 'durable-object',
    core: ok ? detail : { status: 'unreachable' },
    ...(regions.length > 1 && { core_regions: regions }),
  });
}
