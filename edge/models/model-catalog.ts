/**
 * Which models there are: the core's list and the edge's own light model. Owns a copy of the core's list,
 * kept per isolate for {@link FRESH_MS} (a second for who reads it all); an older copy still serves while the core cannot be reached.
 */
import { AppError } from '../../shared/errors.ts';
import type { ModelRoom } from '../../shared/model/request-needs.ts';
import { tokenEncodingFor } from '../../shared/model/token-count.ts';
import type { ModelInfo, ModelList } from '../../shared/protocol/generation-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { CoreClient } from '../core-client/core-client.ts';

export interface ModelCatalog {
  /** @throws AppError `core_unavailable` when the core was never reached */
  list(context: RequestContext): Promise<ModelList>;
  /** @throws AppError `model_not_found`, `core_unavailable` */
  find(context: RequestContext, name: string): Promise<ModelInfo>;
  /** The concrete model that a name stands for now. @throws AppError as `find` */
  targetOf(context: RequestContext, name: string): Promise<string>;
  /** @returns none where it is not known @throws AppError as `find` */
  priceOf(context: RequestContext, name: string): Promise<ModelInfo['edgewise']['price']>;
}

export interface ModelCatalogOptions {
  core: Pick<CoreClient, 'models'>;
  lightModel: string | undefined;
  now: () => number;
}

const FRESH_MS = 30_000;
/** Light models are asked for short prompts only; their real length is not known at the edge. */
export const LIGHT_CONTEXT_LENGTH = 8192;

export function createModelCatalog({ core, lightModel, now }: ModelCatalogOptions): ModelCatalog {
  const light = lightModel === undefined ? undefined : describeLight(lightModel);
  let copy: { data: ModelInfo[]; readAtMs: number } | undefined;

  async function coreModels(context: RequestContext, maxAgeMs: number): Promise<ModelInfo[]> {
    if (copy && now() - copy.readAtMs < maxAgeMs) return copy.data;
    try {
      const { data } = await core.models(context);
      copy = { data, readAtMs: now() };
    } catch (error) {
      if (!copy) throw error;
    }
    return copy.data;
  }

  async function find(context: RequestContext, name: string): Promise<ModelInfo> {
    if (light && name === light.id) return light;
    const known = (await coreModels(context, FRESH_MS)).find((model) => model.id === name);
    // The registry may have gained the model since.
    const found = known ?? (await coreModels(context, 1000)).find((model) => model.id === name);
    if (!found) throw new AppError('model_not_found', { param: 'model' });
    return found;
  }

  return {
    find,
    async list(context) {
      // The list shows the current state of the models.
      const data = await coreModels(context, 1000);
      return { object: 'list', data: light ? [light, ...data] : data };
    },
    async targetOf(context, name) {
      const { id, edgewise } = await find(context, name);
      return edgewise.targets?.[0] ?? id;
    },
    priceOf: async (context, name) => (await find(context, name)).edgewise.price,
  };
}

/** What the light model can take: plain text, and as much of it as it is sure to have room for. */
export function lightRoom(name: string): ModelRoom {
  return { capabilities: [], contextLength: LIGHT_CONTEXT_LENGTH, encoding: tokenEncodingFor(name) };
}

function describeLight(name: string): ModelInfo {
  return {
    id: name,
    object: 'model',
    created: 0,
    owned_by: 'edge',
    edgewise: {
      kind: 'model',
      context_length: LIGHT_CONTEXT_LENGTH,
      encoding: tokenEncodingFor(name),
      generative: true,
      place: 'edge',
      reason: 'configured as the light model of the edge',
    },
  };
}
