/** What `GET /v1/models` shows of each model and alias: no address and no key. */
import type { ModelInfo } from '../../shared/protocol/generation-protocol.ts';
import type { TargetModel } from './target-model.ts';

const EXTRACTIVE_CONTEXT_LENGTH = 8192;
const NO_MODEL = 'no language model is configured; answers are quoted from the knowledge base';

export function describeModel({ target, breaker }: TargetModel): ModelInfo {
  const { name, provider, contextLength, encoding, price, reason, capabilities, offers } = target;
  return {
    id: name,
    object: 'model',
    created: 0,
    owned_by: provider,
    edgewise: {
      kind: 'model',
      context_length: contextLength,
      encoding,
      generative: true,
      place: 'core',
      offers: [...offers],
      ...(price && { price }),
      ...(capabilities && { capabilities: [...capabilities] }),
      breaker: breaker.state,
      reason,
    },
  };
}

export function describeExtractive(name: string, alone: boolean): ModelInfo {
  return {
    id: name,
    object: 'model',
    created: 0,
    owned_by: 'edgewise',
    edgewise: {
      kind: 'model',
      context_length: EXTRACTIVE_CONTEXT_LENGTH,
      encoding: 'o200k_base',
      generative: false,
      place: 'core',
      reason: alone ? NO_MODEL : 'the last resort: it quotes the knowledge base',
    },
  };
}

/** The state of each model's breaker, where it has one. */
export function breakersOf(
  models: readonly ModelInfo[],
): { model: string; state: NonNullable<ModelInfo['edgewise']['breaker']> }[] {
  return models.flatMap(({ id, edgewise: { breaker } }) => (breaker ? [{ model: id, state: breaker }] : []));
}

/** An alias is described by the model that stands first in it. */
export function describeName(alias: string, targets: string[], described: ModelInfo[]): ModelInfo {
  const first = described.find(({ id }) => id === targets[0]) as ModelInfo;
  const { breaker: _, ...edgewise } = first.edgewise;
  return { ...first, id: alias, owned_by: 'edgewise', edgewise: { ...edgewise, kind: 'alias', targets } };
}
