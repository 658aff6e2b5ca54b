/**
 * A ladder of models: the first that can serve a request answers, and when it fails the next one does. Before the first
 * word nobody sees it; after it the answer goes on from where it was, where the next model can, and else ends as an
 * error with what was said kept. Nothing is said twice.
 */

import { AppError, type ErrorInfo } from '../errors.ts';
import {
  type ChatEvent,
  type ChatMessage,
  type ChatModel,
  type ChatRequest,
  type FallbackMark,
  isTerminal,
} from './chat-model.ts';
import type { LayerGenerator } from './event-stream.ts';
import { type LayerCall, layer } from './layer.ts';
import { failureRule } from './upstream-errors.ts';

export interface Rung {
  model: ChatModel;
  /** Whether the model has what the request needs: tools, vision, room for its length. */
  canServe: (request: ChatRequest) => boolean | Promise<boolean>;
  /** Whether a request that this model rejects may suit the next one: of a model that takes less than those behind it. */
  rejectsForItself?: boolean | undefined;
  /** How the model is asked to go on from words that another one has said; without it, it is not asked to. */
  continues?: Continuation | undefined;
}

/**
 * How services take the beginning of an answer as the last message. `message`: as any message of the assistant;
 * `prefix`: marked `prefix: true` (DeepSeek, Mistral); `partial`: marked `partial: true` (Qwen); `vllm`: by
 * `continue_final_message` (vLLM).
 */
export const continuations = ['message', 'prefix', 'partial', 'vllm'] as const;
export type Continuation = (typeof continuations)[number];

/** Longest repetition of what was said that is looked for where another model goes on, in characters. */
const MAX_OVERLAP = 400;
/** Fewer characters than this may be the same by chance. */
const MIN_OVERLAP = 12;

/**
 * @param firstTokenMs The time that all rungs but the last have together until one of them has taken the request, in
 * milliseconds: each has its part of what is left. Without it each has as long as its own limits say.
 * @throws Error when there is no rung
 */
export function withFallback(name: string, rungs: readonly Rung[], firstTokenMs?: number): ChatModel {
  if (rungs.length === 0) throw new Error(`the ladder ${name} has no rung`);
  return layer({ name }, (call) => climbDown(rungs, call, firstTokenMs));
}

/** How one rung's answer ended. */
type Ending = { kind: 'done' } | { kind: 'failed'; error: ErrorInfo };

/** One that ends without saying so. */
const broken: Ending = { kind: 'failed', error: new AppError('internal_error').toInfo() };

interface Said {
  text: string;
  /** Whether something came that another model cannot go on from. */
  isBound: boolean;
}

async function* climbDown(
  rungs: readonly Rung[],
  { request, signal, read }: LayerCall,
  firstTokenMs: number | undefined,
): LayerGenerator {
  const able: Rung[] = [];
  for (const rung of rungs) if (await rung.canServe(request)) able.push(rung);
  // When nothing fits, the first one says best what is wrong.
  const ladder = able.length > 0 ? able : rungs.slice(0, 1);
  const said: Said = { text: '', isBound: false };
  let failure: ErrorInfo | undefined;
  let leftMs = firstTokenMs;
  for (const [index, rung] of ladder.entries()) {
    const hasBegun = said.text !== '' || said.isBound;
    if (hasBegun && !rung.continues) continue;
    const others = ladder.length - 1 - index;
    if (!hasBegun && others > 0 && leftMs !== undefined && leftMs <= 0) continue;
    const budget = leftMs !== undefined && others > 0 ? { leftMs: leftMs / others } : undefined;
    const mark = failure && { from: ladder[0]?.model.name ?? '', reason: failure.code };
    let ending = broken;
    try {
      ending = yield* hasBegun
        ? goOn({ rung, request, said, after: failure, signal, read })
        : begin(
            read(rung.model.stream(budget ? { ...request, firstTokenBudget: budget } : request, signal)),
            said,
            mark,
          );
    } catch {
      // A model that breaks its promise is one that failed.
    }
    if (ending.kind === 'done') return;
    failure = ending.error;
    if (leftMs !== undefined && budget) leftMs -= leftMs / others - budget.leftMs;
    const stepsDown =
      failureRule(failure.code).stepsDown || (rung.rejectsForItself && failure.code === 'upstream_rejected');
    const canGoOn = !signal.aborted && stepsDown && !said.isBound;
    if (!canGoOn || index === ladder.length - 1) break;
  }
  yield [{ type: 'error', error: failure ?? new AppError('internal_error').toInfo() }];
}

/** Relays an answer. What comes before its first word is held back, since another model's may take its place. */
async function* begin(
  batches: AsyncIterable<ChatEvent[]>,
  said: Said,
  fallback: FallbackMark | undefined,
): AsyncGenerator<ChatEvent[], Ending, void> {
  let held: ChatEvent[] = [];
  let isOut = false;
  for await (const events of batches) {
    for (const given of events) {
      const event = fallback && given.type === 'model-start' ? { ...given, fallback } : given;
      if (event.type === 'error') {
        if (isOut && held.length > 0) yield held;
        return { kind: 'failed', error: event.error };
      }
      record(event, said);
      isOut ||= isTerminal(event) || event.type.endsWith('-delta');
      held.push(event);
    }
    if (!isOut || held.length === 0) continue;
    const last = held.at(-1);
    yield held;
    if (last && isTerminal(last)) return { kind: 'done' };
    held = [];
  }
  return broken;
}

interface Resumption extends Pick<LayerCall, 'request' | 'signal' | 'read'> {
  rung: Rung;
  said: Said;
  after: ErrorInfo | undefined;
}

/** Lets another model go on from what was said, and takes off what it says again. */
async function* goOn({
  rung: { model, continues },
  request,
  said,
  after,
  signal,
  read,
}: Resumption): AsyncGenerator<ChatEvent[], Ending, void> {
  const partial = said.text;
  let head: string | undefined = '';
  for await (const event of oneByOne(
    read(model.stream(beginningWith(request, partial, continues), signal)),
  )) {
    if (event.type === 'error') return { kind: 'failed', error: event.error };
    if (event.type === 'model-start') {
      yield [
        { type: 'extra-delta', fields: { edgewise: { continued_by: event.model, after: after?.code } } },
      ];
      continue;
    }
    if (event.type === 'text-delta' && head !== undefined) {
      head += event.text;
      if (head.length < Math.min(MAX_OVERLAP, partial.length) && overlaps(partial, head)) continue;
      const rest = withoutOverlap(partial, head);
      head = undefined;
      if (rest === '') continue;
      said.text += rest;
      yield [{ ...event, text: rest }];
      continue;
    }
    if (isTerminal(event) && head) {
      const rest = withoutOverlap(partial, head);
      head = undefined;
      if (rest !== '') yield [{ type: 'text-delta', text: rest }];
    }
    record(event, said);
    yield [event];
    if (isTerminal(event)) return { kind: 'done' };
  }
  return broken;
}

async function* oneByOne(batches: AsyncIterable<ChatEvent[]>): AsyncGenerator<ChatEvent, void, void> {
  for await (const events of batches) yield* events;
}

function beginningWith(
  request: ChatRequest,
  partial: string,
  continues: Continuation | undefined,
): ChatRequest {
  const { messages, params } = request;
  const begun: ChatMessage = { role: 'assistant', content: partial };
  if (continues === 'prefix') begun.prefix = true;
  if (continues === 'partial') begun.partial = true;
  const more = continues === 'vllm' ? { continue_final_message: true, add_generation_prompt: false } : {};
  return { ...request, messages: [...messages, begun], params: { ...params, ...more } };
}

function record(event: ChatEvent, said: Said): void {
  if (event.type === 'text-delta') said.text += event.text;
  else if (event.type.endsWith('-delta') && event.type !== 'extra-delta') said.isBound = true;
}

/** Whether what begins here may still be a repetition of what was said. */
function overlaps(said: string, head: string): boolean {
  return said.slice(-MAX_OVERLAP).includes(head) || said.startsWith(head);
}

/** A model that was to go on may begin again from the start, or from a few words before the end. */
function withoutOverlap(said: string, head: string): string {
  if (head.startsWith(said)) return head.slice(said.length);
  for (let length = Math.min(MAX_OVERLAP, head.length, said.length); length >= MIN_OVERLAP; length--) {
    if (said.endsWith(head.slice(0, length))) return head.slice(length);
  }
  return head;
}
