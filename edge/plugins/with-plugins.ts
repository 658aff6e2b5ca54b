/** Puts plugins between a model and its reader. It stands outermost: what a cache replays is looked at, too. */
import {
  type ChatEvent,
  type ChatModel,
  type ChatRequest,
  type ChatStreamReader,
  type FinishReason,
  isTerminal,
} from '../../shared/chat-model.ts';
import { AppError, toAppError } from '../../shared/errors.ts';
import { eventStream } from '../../shared/event-stream.ts';
import { AnswerChain } from './answer-chain.ts';
import { callHook } from './call-hook.ts';
import type { DeltaEvent, PluginRun, WholeAnswer } from './plugin.ts';

/** How long a model whose answer was refused may take to say what it has cost, in milliseconds. */
const SETTLE_MS = 2000;

/**
 * A refused answer ends as `content_filter` with what was said before, and the call upstream is aborted. Events
 * depend on the model's events alone, so that a turn that was cut off can be told again and go on where it was.
 */
export function withPlugins(model: ChatModel, run: PluginRun): ChatModel {
  if (run.plugins.length === 0) return model;
  return {
    name: model.name,
    stream: (request, signal) => eventStream(signal, (inner) => relay(model, run, request, inner)),
  };
}

async function* relay(
  model: ChatModel,
  run: PluginRun,
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent, void, void> {
  const call = new AbortController();
  let chain: AnswerChain;
  try {
    chain = await AnswerChain.open(run, signal);
  } catch (error) {
    return yield { type: 'error', error: toAppError(error).toInfo() };
  }
  const answer = new AnswerListener();
  const events = model.stream(request, AbortSignal.any([signal, call.signal])).getReader();
  let hasUsage = false;
  try {
    for (;;) {
      const { value: event } = await events.read();
      if (!event) return yield { type: 'error', error: new AppError('internal_error').toInfo() };
      if (!isDelta(event) && !isTerminal(event)) {
        hasUsage ||= event.type === 'usage';
        yield event;
        continue;
      }
      const verdict = isDelta(event) ? await chain.push(event) : await chain.end();
      for (const delta of verdict.events) {
        answer.hear(delta);
        yield delta;
      }
      if (!verdict.end && isDelta(event)) continue;
      let last: ChatEvent = event;
      if (verdict.end && event.type !== 'error') {
        call.abort();
        const usage = hasUsage || isTerminal(event) ? undefined : await readUsage(events);
        if (usage) yield usage;
        last = endOf(verdict.end);
      }
      hearWhole(run, answer.whole(last.type === 'turn-end' ? last.finishReason : undefined));
      return yield last;
    }
  } finally {
    chain.close();
    call.abort();
  }
}

function endOf(end: { reason: 'refused' } | { reason: 'failed'; error: AppError }): ChatEvent {
  if (end.reason === 'failed') return { type: 'error', error: end.error.toInfo() };
  return { type: 'turn-end', finishReason: 'content_filter' };
}

/** A model that is aborted says what it has cost until then, if it can. */
async function readUsage(events: ChatStreamReader): Promise<ChatEvent | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<{ value?: undefined }>();
  const timer = setTimeout(() => resolve({}), SETTLE_MS);
  try {
    for (;;) {
      const { value } = await Promise.race([events.read(), late]);
      if (!value || isTerminal(value)) return undefined;
      if (value.type === 'usage') return value;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Shows the whole answer to the plugins that want it. Nothing waits for them. */
function hearWhole({ plugins, context, now, record, waitUntil }: PluginRun, answer: WholeAnswer): void {
  for (const plugin of plugins) {
    if (!plugin.onAnswer) continue;
    const giveUp = new AbortController();
    const hook = plugin.onAnswer.bind(plugin, answer, { ...context, signal: giveUp.signal });
    const heard = async () => {
      const result = await callHook(hook, plugin.limitMs, now);
      giveUp.abort();
      const entry = { plugin: plugin.name, hook: 'answer' } as const;
      if (result.outcome !== 'done') record({ ...entry, ...result });
      else if (result.value === undefined) record({ ...entry, outcome: 'pass', ms: result.ms });
      else record({ ...entry, outcome: 'flag', ms: result.ms, label: result.value });
    };
    waitUntil(heard());
  }
}

function isDelta(event: ChatEvent): event is DeltaEvent {
  return event.type.endsWith('-delta');
}

/** Puts together what went out. */
class AnswerListener {
  readonly #said = { text: '', reasoning: '', refusal: '' };
  readonly #toolArguments: string[] = [];

  hear(event: DeltaEvent): void {
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
