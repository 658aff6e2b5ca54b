import type { ModelList } from '../../shared/protocol/generation-protocol.ts';
import type { CoreServices } from '../services.ts';
import type { CoreHandler } from './core-hono.ts';

/** `GET /v1/models` */
export function modelsRoute({ registry }: CoreServices): CoreHandler {
  return function listModels(c) {
    const list: ModelList = { object: 'list', data: registry.current.list() };
    return c.json(list);
  };
}
