import type { Generations } from '../generations/generations.ts';
import type { LiveRegistry } from '../models/live-registry.ts';
import type { CoreHandler } from './core-hono.ts';

/** `GET /healthz`: which models answer and why; 503 while it stops. Open to all, so it names no address and no key. */
export function healthRoute({
  registry,
  generations,
}: {
  registry: LiveRegistry;
  generations: Generations;
}): CoreHandler {
  return function health(c) {
    const models = registry.current
      .list()
      .filter(({ edgewise }) => edgewise.kind === 'model')
      .map(({ id, edgewise }) => ({ id, generative: edgewise.generative, reason: edgewise.reason }));
    if (generations.isDraining) return c.json({ status: 'stopping', models }, 503);
    return c.json({ status: 'ok', models_file: registry.fault === undefined ? 'ok' : 'broken', models });
  };
}
