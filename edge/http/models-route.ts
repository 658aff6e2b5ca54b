import type { ModelCatalog } from '../models/model-catalog.ts';
import type { EdgeContext } from './edge-hono.ts';

/** `GET /v1/models`: OpenAI's list, with Edgewise's data of each model under `edgewise`. */
export function modelsRoute({ catalog }: { catalog: Pick<ModelCatalog, 'list'> }) {
  return async function listModels(c: EdgeContext): Promise<Response> {
    return c.json(await catalog.list(c.get('request')));
  };
}
