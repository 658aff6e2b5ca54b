import type { ModelList } from '../../shared/protocol/generation-protocol.ts';
import type { LiveRegistry } from '../models/live-registry.ts';
import type { CoreHandler } from './core-hono.ts';

/** `GET /v1/models` */
export function modelsRoute({ registry }: { registry: LiveRegistry }): CoreHandler {
  return function listModels(c) {
    const list: ModelList = { object: 'list', data: registry.current.list() };
    return c.json(list);
  };
}
