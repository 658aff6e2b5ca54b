/**
 * Starts generations, each once, and lets readers come and go. Owns the running ones; their events are the
 * log's. A detached generation outlives its readers, bounded by its deadline and {@link GenerationsOptions.maxMs}.
 */

import { AppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel } from '../../shared/model/chat-model.ts';
import { continueTrace, parseTraceparent, toTraceparent } from '../../shared/observe/trace-context.ts';
import type {
  GenerationOutcome,
  GenerationRequest,
  NumberedChatEvent,
} from '../../shared/protocol/generation-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { GenerationEnd } from '../observe/generation-end.ts';
import { type GenerationLog, generationKey } from './generation-log.ts';

export interface GenerationsOptions {
  log: GenerationLog;
  /** @throws AppError `model_not_found` */
  resolveModel: (context: RequestContext, request: GenerationRequest) => ChatModel;
  /** Most that may run at once. */
  maxRunning: number;
  /** Longest time that a generation may run, in milliseconds. */
  maxMs: number;
  now: () => number;
  onEnd: (end: GenerationEnd) => void;
}

export interface Generations {
  /** @throws AppError `model_not_found`, `shutting_down`, `core_overloaded` */
  start(
    context: RequestContext,
    request: GenerationRequest,
    reader: AbortSignal,
  ): Promise<ReadableStream<NumberedChatEvent>>;
  /** @throws AppError `generation_not_found` */
  attach(
    context: RequestContext,
    id: string,
    after: number,
    reader: AbortSignal,
  ): Promise<ReadableStream<NumberedChatEvent>>;
  /** Ends it, whichever instance runs it; returns once it has ended, with what came first. */
  cancel(context: RequestContext, id: string): Promise<GenerationOutcome>;
  /** Refuses new ones, and resolves when the running ones have ended or `graceMs` have gone by; then it ends them. */
  drain(graceMs: number): Promise<void>;
  /** How many run now. */
  readonly running: number;
  /** Whether new ones are refused. */
  readonly isDraining: boolean;
}

interface Running {
  /** Aborted without a reason it is a cancel; an {@link AppError} as the reason becomes the generation's error. */
  stop: AbortController;
  /** Never rejects. */
  ended: Promise<void>;
}

/** A generation that is ours to run. */
interface Opened {
  key: string;
  model: ChatModel;
  context: RequestContext;
  request: GenerationRequest;
}

const OVERLOAD_RETRY_MS = 2000;

// long: the life of a generation, from its start to its end
export function createGenerations(options: GenerationsOptions): Generations {
  const { log, resolveModel, maxRunning, maxMs, now, onEnd } = options;
  const running = new Map<string, Running>();
  let draining = false;

  /** Pumps the model into the log, whether anybody reads or not. */
  async function run({ key, model, context, request }: Opened, signal: AbortSignal): Promise<void> {
    const startMs = now();
    const end: GenerationEnd = {
      requestId: context.requestId,
      model: model.name,
      provider: undefined,
      fallback: undefined,
      firstTokenMs: undefined,
      durationMs: 0,
      inputTokens: undefined,
      outputTokens: undefined,
      error: undefined,
      trace: spanOf(context),
    };
    const traced = end.trace ? { ...request, traceparent: toTraceparent(end.trace) } : request;
    try {
      for await (const said of model.stream(traced, signal)) {
        const event = settled(said, signal);
        if (event.type === 'model-start')
          Object.assign(end, { model: event.model, provider: event.provider, fallback: event.fallback });
        if (event.type.endsWith('-delta')) end.firstTokenMs ??= now() - startMs;
        if (event.type === 'usage')
          ({ inputTokens: end.inputTokens, outputTokens: end.outputTokens } = event.usage);
        if (event.type === 'error') end.error = event.error.code;
        await log.append(key, event);
      }
    } catch {
      // The log takes no more: its readers hear it from there. Leaving the loop has ended the model's call.
      end.error = 'generation_lost';
    }
    end.durationMs = now() - startMs;
    onEnd(end);
  }

  function begin(opened: Opened, stop: AbortController): void {
    const { key, context } = opened;
    const limitMs = Math.max(0, Math.min(maxMs, context.deadlineMs - now()));
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(limitMs)]);
    const ended = run(opened, signal).finally(() => running.delete(key));
    running.set(key, { stop, ended });
  }

  async function read(
    key: string,
    after: number,
    reader: AbortSignal,
  ): Promise<ReadableStream<NumberedChatEvent>> {
    const events = await log.read(key, after, reader);
    if (!events) throw new AppError('generation_not_found');
    return events;
  }

  return {
    async start(context, request, reader) {
      if (draining) throw new AppError('shutting_down', { retryAfterMs: 1000 });
      const key = generationKey(context, request.id);
      if (running.size >= maxRunning && !running.has(key))
        throw new AppError('core_overloaded', { retryAfterMs: OVERLOAD_RETRY_MS });
      const model = resolveModel(context, request);
      const stop = new AbortController();
      if (await log.open(key, (reason) => stop.abort(reason))) {
        begin({ key, model, context, request }, stop);
        if (!request.detached) onAbort(reader, () => stop.abort());
        // It began to drain meanwhile.
        if (draining) stop.abort(new AppError('shutting_down', { retryAfterMs: 1000 }));
      }
      return read(key, -1, reader);
    },

    attach: (context, id, after, reader) => read(generationKey(context, id), after, reader),

    async cancel(context, id) {
      return { status: await log.cancel(generationKey(context, id)) };
    },

    get running() {
      return running.size;
    },

    get isDraining() {
      return draining;
    },

    async drain(graceMs) {
      draining = true;
      const all = Promise.all([...running.values()].map(({ ended }) => ended));
      const grace = Promise.withResolvers<void>();
      const timer = setTimeout(grace.resolve, graceMs);
      await Promise.race([all, grace.promise]);
      clearTimeout(timer);
      for (const { stop } of running.values()) stop.abort(new AppError('shutting_down'));
      await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
    },
  };
}

/** A span of its own in the request's trace. */
function spanOf({ traceparent }: RequestContext): GenerationEnd['trace'] {
  const parent = parseTraceparent(traceparent);
  return parent && { ...continueTrace(parent, () => false), parentSpanId: parent.spanId };
}

/** A model that was aborted says `cancelled`; why it was aborted says what that means. */
function settled(event: ChatEvent, { aborted, reason }: AbortSignal): ChatEvent {
  if (event.type !== 'error' || event.error.code !== 'cancelled' || !aborted) return event;
  if (reason instanceof AppError) return { type: 'error', error: reason.toInfo() };
  const timedOut = reason instanceof DOMException && reason.name === 'TimeoutError';
  return timedOut ? { type: 'error', error: new AppError('deadline_exceeded').toInfo() } : event;
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
}
