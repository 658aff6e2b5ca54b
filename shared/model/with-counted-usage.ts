/**
 * Gives every answer a usage: what the model reports, where the request and the answer can explain it, or what we count,
 * marked as an estimate. The one place where an upstream's counts of a chat come in.
 */

import { type ChatEvent, type ChatModel, type ChatRequest, isTerminal, type Usage } from './chat-model.ts';
import type { LayerGenerator } from './event-stream.ts';
import { layer } from './layer.ts';
import { saidText } from './said-text.ts';
import type { TokenEncoding } from './token-count.ts';
import { countRequestTokens, utf8Length } from './token-count.ts';
import {
  checkedDetails,
  countFault,
  inputBounds,
  type ModelBounds,
  outputBounds,
  type RejectedCount,
} from './usage-check.ts';

export type CountTokens = (text: string) => number;

export interface CountedUsageOptions extends ModelBounds {
  encoding: TokenEncoding;
  /** The tokenizer for the model's family; loaded when it is first needed. */
  loadCounter: (encoding: TokenEncoding) => Promise<CountTokens>;
  /** Told of each count that could not be. */
  onRejected: (rejected: RejectedCount) => void;
}

export function withCountedUsage(model: ChatModel, options: CountedUsageOptions): ChatModel {
  async function* count(batches: AsyncIterable<ChatEvent[]>, request: ChatRequest): LayerGenerator {
    let said = '';
    let begun = false;
    let reported = false;
    for await (const events of batches) {
      for (const [at, event] of events.entries()) {
        if (event.type === 'model-start') begun = true;
        said += saidText(event);
        if (event.type !== 'usage') continue;
        reported = true;
        const checked = checkUsage(event.usage, { request, said, name: model.name, options });
        if (checked !== event.usage) events[at] = { type: 'usage', usage: await checked };
      }
      const last = events.at(-1);
      if (!last || !isTerminal(last) || !begun || reported) {
        yield events;
        continue;
      }
      // A turn that is cut or stopped has cost something, too. What was said does not wait for the counter.
      if (events.length > 1) yield events.slice(0, -1);
      const counter = await options.loadCounter(options.encoding);
      const inputTokens = countRequestTokens(request, counter);
      yield [{ type: 'usage', usage: { inputTokens, outputTokens: counter(said), estimated: true } }, last];
    }
  }
  return layer(model, ({ request, signal, read }) => count(read(model.stream(request, signal)), request));
}

interface UsageReport {
  request: ChatRequest;
  said: string;
  name: string;
  options: CountedUsageOptions;
}

/** @returns the same usage where it can be, without waiting for a tokenizer */
function checkUsage(usage: Usage, report: UsageReport): Usage | Promise<Usage> {
  const { request, said, options } = report;
  const output = outputBounds(request, utf8Length(said), options);
  const inputFault = countFault(usage.inputTokens, inputBounds(request, options));
  const outputFault = countFault(usage.outputTokens, output);
  if (inputFault || outputFault) return replaceCounts(usage, { ...report, inputFault, outputFault });
  const details = checkedDetails(usage, usage.inputTokens, output.most);
  if (
    details.cachedInputTokens === usage.cachedInputTokens &&
    details.reasoningTokens === usage.reasoningTokens
  )
    return usage;
  const { inputTokens, outputTokens, estimated } = usage;
  return { inputTokens, outputTokens, ...details, estimated };
}

type Fault = ReturnType<typeof countFault>;

async function replaceCounts(
  usage: Usage,
  {
    request,
    said,
    name,
    options,
    inputFault,
    outputFault,
  }: UsageReport & { inputFault: Fault; outputFault: Fault },
): Promise<Usage> {
  const { encoding, loadCounter, onRejected } = options;
  const rejected = { model: name, operation: 'chat' };
  if (inputFault) onRejected({ ...rejected, tokenType: 'input', fault: inputFault });
  if (outputFault) onRejected({ ...rejected, tokenType: 'output', fault: outputFault });
  const counter = await loadCounter(encoding);
  const inputTokens = inputFault ? countRequestTokens(request, counter) : usage.inputTokens;
  const outputTokens = outputFault ? counter(said) : usage.outputTokens;
  const { most } = outputBounds(request, utf8Length(said), options);
  return { inputTokens, outputTokens, ...checkedDetails(usage, inputTokens, most), estimated: true };
}
