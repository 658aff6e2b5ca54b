/** The light model with the core behind it, for a prompt that did not ask for the light model by name. */
import type { ChatModel } from '../../shared/model/chat-model.ts';
import { withFallback } from '../../shared/model/with-fallback.ts';
import type { ModelChoice } from './choose-model.ts';

export function createLightLadder(light: ChatModel, core: ChatModel, { route }: ModelChoice): ChatModel {
  if (route.reason === 'asked by name') return light;
  const name = route.reason === 'asked for fast' ? 'fast' : 'auto';
  const renamed: ChatModel = {
    name,
    stream: (request, signal) => core.stream({ ...request, model: name }, signal),
  };
  return withFallback(light.name, [
    { model: light, canServe: () => true },
    { model: renamed, canServe: () => true },
  ]);
}
