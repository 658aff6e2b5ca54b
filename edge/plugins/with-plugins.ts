/** Puts plugins between a model and its reader. It stands outermost: what a cache replays is looked at, too. */

import { AppError, toAppError } from '../../shared/errors.ts';
import {
  type ChatEvent,
  type ChatModel,
  type FinishReason,
  isTerminal,
} from '../../shared/model/chat-model.ts';
import { type InnerBatches, type LayerGenerator, relayStream } from '../../shared/model/event-stream.ts';
import { linkedAbortController } from '../../shared/stream/linked-abort-controller.ts';
import { AnswerChain } from './answer-chain.ts';
import { callHook } from './call-hook.ts';
import type { DeltaEvent, PluginRun, WholeAnswer } from './plugin.ts';

/** How long a model whose answer was refused may take to say what it has cost, in milliseconds. */
const SETTLE_MS = 2000;

/**
 * A refused answer ends as `content_filter` with what was said before, and the call upstream is aborted. Events
 * depend on the model's events alone, so that a turn that was cut off can be replayed and continue where it was.
 */
export function withPlugins(model: ChatModel, run: PluginRun): ChatModel {
  if (run.plugins.length === 0) return model;
  return {
    name: model.name,
    stream: (request, signal) =>
      relayStream((read) => relay((own) => read(model.stream(request, own)), run, signal)),
  };
}

async function* relay(
  ask: (signal: AbortSignal) => InnerBatches,
  run: PluginRun,
  signal: AbortSignal,
): LayerGenerator {
  let chain: AnswerChain;
  try {
    const opened = AnswerChain.open(run, signal);
    chain = opened instanceof Promise ? await opened : opened;
  } catch (error) {
    return yield [{ type: 'error', error: toAppError(error).toInfo() }];
  }
  const answer = new AnswerListener();
  const call = linkedAbortController(signal);
  const batches = ask(call.signal);
  let hasUsage = false;
  try {
    for (;;) {
      const { value: batch } = await batches.next();
      if (!batch) return yield [{ type: 'error', error: new AppError('internal_error').toInfo() }];
      let out: ChatEvent[] = [];
      for (const [at, event] of batch.entries()) {
        if (!isDelta(event) && !isTerminal(event)) {
          hasUsage ||= event.type === 'usage';
          out.push(event);
          continue;
        }
        const asked = isDelta(event) ? chain.push(event) : chain.end();
        // What has passed does not wait for what is looked at.
        if (asked instanceof Promise && out.length > 0) yield out.splice(0);
        const verdict = asked instanceof Promise ? await asked : asked;
        for (const delta of verdict.events) {
          answer.push(delta);
          out.push(delta);
        }
        if (!verdict.end && isDelta(event)) continue;
        let last: ChatEvent = event;
        if (verdict.end && event.type !== 'error') {
          if (out.length > 0) yield out;
          out = [];
          call.abort();
          const usage =
            hasUsage || isTerminal(event) ? undefined : await readUsage(batch.slice(at + 1), batches);
          if (usage) out.push(usage);
          last = endOf(verdict.end);
        }
        notifyAnswer(run, answer.whole(last.type === 'turn-end' ? last.finishReason : undefined));
        return yield [...out, last];
      }
      if (out.length > 0) yield out;
    }
  } finally {
    chain.close();
    void batches.return();
    call.unfollow();
  }
}

function endOf(end: { reason: 'refused' } | { reason: 'failed'; error: AppError }): ChatEvent {
  if (end.reason === 'failed') return { type: 'error', error: end.error.toInfo() };
  return { type: 'turn-end', finishReason: 'content_filter' };
}

/** A model that is aborted says what it has cost until then, if it can. */
async function readUsage(
  ready: ChatEvent[],
  batches: AsyncIterator<ChatEvent[]>,
): Promise<ChatEvent | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<{ value?: undefined }>();
  const timer = setTimeout(() => resolve({}), SETTLE_MS);
  let events: ChatEvent[] | undefined = ready;
  try {
    for (;;) {
      const found = events.find((event) => event.type === 'usage' || isTerminal(event));
      if (found) return found.type === 'usage' ? found : undefined;
      events = (await Promise.race([batches.next(), late])).value;
      if (!events) return undefined;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Shows the whole answer to the plugins that want it. Nothing waits for them. */
function notifyAnswer({ plugins, context, now, record, waitUntil }: PluginRun, answer: WholeAnswer): void {
  for (const plugin of plugins) {
    if (!plugin.onAnswer) continue;
    const giveUp = new AbortController();
    const hook = plugin.onAnswer.bind(plugin, answer, { ...context, signal: giveUp.signal });
    const notified = async () => {
      const result = await callHook(hook, plugin.limitMs, now);
      giveUp.abort();
      const entry = { plugin: plugin.name, hook: 'answer' } as const;
      if (result.outcome !== 'done') record({ ...entry, ...result });
      else if (result.value === undefined) record({ ...entry, outcome: 'pass', ms: result.ms });
      else record({ ...entry, outcome: 'flag', ms: result.ms, label: result.value });
    };
    waitUntil(notified());
  }
}

function isDelta(event: ChatEvent): event is DeltaEvent {
  return event.type.endsWith('-delta');
}

/** Puts together what went out. */
class AnswerListener {
  readonly #said = { text: '', reasoning: '', refusal: '' };
  readonly #toolArguments: string[] = [];

  push(event: DeltaEvent): void {
    if (event.type === 'text-delta') this.#said.text += event.text;
    else if (event.type === 'reasoning-delta') this.#said.reasoning += event.text;
    else if (event.type === 'refusal-delta') this.#said.refusal += event.text;
    else if (event.type === 'tool-call-delta')
      this.#toolArguments[event.index] = (this.#toolArguments[event.index] ?? '') + event.arguments;
  }

  whole(finishReason: FinishReason | undefined): WholeAnswer {
    const toolArguments = [...this.#toolArguments];
    return { ...this.#said, toolArguments, ...(finishReason && { finishReason }) };
  }
}
