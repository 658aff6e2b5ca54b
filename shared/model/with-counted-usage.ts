/**
 * Gives every answer a usage that can be charged: what the model reports where request and answer can explain it, or what
 * we count, marked as an estimate. An upstream's numbers are values like any other input: one that reports 10^18 tokens
 * would lock its caller out of every limit, and one that reports none would be free.
 */

import {
  type ChatEvent,
  type ChatModel,
  type ChatRequest,
  isTerminal,
  spokenText,
  type Usage,
} from './chat-model.ts';
import type { LayerGenerator } from './event-stream.ts';
import { layer } from './layer.ts';
import type { TokenEncoding } from './token-count.ts';
import { countPromptTokens, promptTokenBound, TEMPLATE_TOKENS, textTokenBound } from './token-count.ts';

export type CountTokens = (text: string) => number;

export interface CountedUsageOptions {
  encoding: TokenEncoding;
  /** The tokenizer for the model's family; loaded when it is first needed. */
  loadCounter: (encoding: TokenEncoding) => Promise<CountTokens>;
  /** Tokens that prompt and answer can have together; {@link USUAL_CONTEXT_LENGTH} where it is not known. */
  contextLength?: number | undefined;
}

/** The longest context of models that are in use. */
const USUAL_CONTEXT_LENGTH = 1_048_576;

export function withCountedUsage(model: ChatModel, options: CountedUsageOptions): ChatModel {
  const { encoding, loadCounter, contextLength = USUAL_CONTEXT_LENGTH } = options;
  async function* count(batches: AsyncIterable<ChatEvent[]>, request: ChatRequest): LayerGenerator {
    let said = '';
    let begun = false;
    let reported = false;
    let rejected = false;
    for await (const events of batches) {
      let kept = events;
      for (const event of events) {
        if (event.type === 'model-start') begun = true;
        said += spokenText(event);
        if (event.type !== 'usage') continue;
        reported = isPossible(event.usage, request, said, contextLength);
        if (reported) continue;
        rejected = true;
        kept = kept.filter((other) => other !== event);
      }
      const last = kept.at(-1);
      if (!last || !isTerminal(last) || !begun || reported) {
        if (kept.length > 0) yield kept;
        continue;
      }
      // A turn that is cut or stopped has cost something, too. What was said does not wait for the counter.
      if (kept.length > 1) yield kept.slice(0, -1);
      const counter = await loadCounter(encoding);
      const usage: Usage = {
        inputTokens: Math.min(countPromptTokens(request, counter), contextLength),
        outputTokens: counter(said),
        estimated: true,
        ...(rejected && { rejected }),
      };
      yield [{ type: 'usage', usage }, last];
    }
  }
  return layer(model, ({ request, signal, read }) => count(read(model.stream(request, signal)), request));
}

/**
 * A token is at least one byte, so neither side has more tokens than bytes, apart from what a chat template adds and from
 * reasoning that is counted and not shown, which the context bounds. Text without any token is not possible either.
 */
function isPossible(usage: Usage, request: ChatRequest, said: string, contextLength: number): boolean {
  const { inputTokens, outputTokens, cachedInputTokens = 0, reasoningTokens = 0 } = usage;
  const counts = [inputTokens, outputTokens, cachedInputTokens, reasoningTokens];
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return false;
  if (inputTokens === 0 || (outputTokens === 0 && said !== '')) return false;
  if (counts.some((count) => count > contextLength)) return false;
  if (reasoningTokens === 0 && outputTokens > HIDDEN_TOKENS && outputTokens > textTokenBound(said))
    return false;
  return inputTokens <= TEMPLATE_TOKENS || inputTokens <= promptTokenBound(request);
}

/** Most tokens of an answer that are believed without text: reasoning that a service neither shows nor counts. */
const HIDDEN_TOKENS = 32_768;
