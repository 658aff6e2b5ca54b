import type { EdgeContext } from './edge-hono.ts';

/** `GET /v1/models`: OpenAI's list, with what Edgewise knows of each model under `edgewise`. */
export async function modelsRoute(c: EdgeContext): Promise<Response> {
  return c.json(await c.get('services').catalog.list(c.get('request')));
}
