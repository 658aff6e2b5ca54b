import type { Usage } from '../../shared/model/chat-model.ts';
import type { ModelInfo } from '../../shared/protocol/generation-protocol.ts';

/** Millionths of a US dollar, which is what a price per million tokens says of one; `undefined` without a price. */
export function costOf(models: readonly ModelInfo[], name: string, usage: Usage): number | undefined {
  const price = models.find(({ id }) => id === name)?.edgewise.price;
  if (!price) return undefined;
  const cached = Math.min(usage.cachedInputTokens ?? 0, usage.inputTokens);
  const input = (usage.inputTokens - cached) * price.input + cached * (price.cachedInput ?? price.input);
  return Math.ceil(input + usage.outputTokens * price.output);
}
