/**
 * The light model with the core behind it. The core answers what the light model has no room for or cannot do, and
 * whatever it fails at before its first word: also a request that it rejects, which a larger model may take.
 */
import type { ChatModel } from '../../shared/model/chat-model.ts';
import { canServe, type ModelRoom } from '../../shared/model/request-needs.ts';
import type { TokenEncoding } from '../../shared/model/token-count.ts';
import type { CountTokens } from '../../shared/model/with-counted-usage.ts';
import { withFallback } from '../../shared/model/with-fallback.ts';
import type { ModelChoice } from '../models/model-choice.ts';

export interface LightLadderOptions {
  light: ChatModel;
  /** What the light model can take. */
  room: ModelRoom;
  loadCounter: (encoding: TokenEncoding) => Promise<CountTokens>;
  core: ChatModel;
}

export function createLightLadder(
  { light, room, loadCounter, core }: LightLadderOptions,
  { wish }: ModelChoice,
): ChatModel {
  // If a request names a model explicitly, only that model is used.
  if (wish === 'by-name') return light;
  const name = wish ?? 'auto';
  const renamed: ChatModel = {
    name,
    stream: (request, signal) => core.stream({ ...request, model: name }, signal),
  };
  return withFallback(light.name, [
    {
      model: light,
      canServe: (request) => canServe(request, room, loadCounter),
      rejectsForItself: true,
    },
    { model: renamed, canServe: () => true },
  ]);
}
