/**
 * The way of a prompt, top to bottom, for a session's turn and for a stateless request alike:
 *
 *   1 filter in     plugins see the prompt before anything is stored                      startSessionTurn, answerStateless
 *   2 accept        the Session object queues and logs the turn; a known answer goes out   startSessionTurn, answerStateless
 *   3 context       the history is read, and fitted into the window of the chosen model    answerTurn
 *   4 route         the light model at the edge, or the core                               answerTurn
 *   5 cache         an answer that was given before is replayed                            modelLayers
 *   6 limits        the caller's quota is reserved                                         openModel
 *   7 model         the light model's ladder, or the core                                  openModel
 *   8 filter out    plugins see every piece of the answer                                  modelLayers
 *   9 events        the turn's events, which the Session object logs and a wire encodes    relayModel
 *  after the last byte:
 *  10 history       the answer is stored in the conversation                               relayModel
 *  11 usage         limits are settled (in 6), metrics, log line and trace recorded        relayModel, onEnd
 *  12 archive       the turn goes to the archive, a whole answer into the cache            onEnd; Session object; in 5
 *
 * A session's turn runs in two halves: `startSessionTurn` in the isolate that took the request, the rest in the Session
 * object (`edge/session/turn-queue.ts` calls `answer` and `resume`). A stateless request runs whole in its isolate.
 * Knows no wire and no store.
 */
import { AppError } from '../../shared/errors.ts';
import type { ChatModel, ChatRequest } from '../../shared/model/chat-model.ts';
import { eventBatches } from '../../shared/model/event-stream.ts';
import { linkedAbortController } from '../../shared/stream/linked-abort-controller.ts';
import { TurnExpander } from '../../shared/turn/turn-expander.ts';
import { emptyTurnResult, foldTurnEvent, type TurnResult } from '../../shared/turn/turn-result.ts';
import { parseCacheControl } from '../cache/cache-control.ts';
import { type ModelChoice, newCall } from '../models/model-choice.ts';
import { skipEvents } from '../plugins/skip-events.ts';
import type {
  AskedConversation,
  AskedModel,
  LoggedTurn,
  SessionTurn,
  TurnBatch,
} from '../session/turn-answering.ts';
import type { TurnCommand } from '../session/turn-command.ts';
import { answerAtOnce } from './answer-at-once.ts';
import { chooseModel } from './choose-model.ts';
import type {
  AnswerPrompt,
  AnswerPromptParts,
  PromptCaller,
  StartTurn,
  StatelessAnswer,
  StatelessPrompt,
} from './prompt-contract.ts';
import type { TurnCall } from './turn-models.ts';
import { type ModelRelay, type TurnPlan, toTurnEvents } from './turn-plan.ts';

export function createAnswerPrompt(parts: AnswerPromptParts): AnswerPrompt {
  return {
    filterPrompt: (request, context, caller) => parts.pluginsOf(context).onPrompt(request, caller),
    startSessionTurn: (command, caller, startTurn) => startSessionTurn(parts, command, { caller, startTurn }),
    answerStateless: (prompt) => answerStateless(parts, prompt),
    answer: (turn) => answerTurn(sessionPlan(parts, turn)),
    resume: (turn, asked, logged) => resumeTurn(sessionPlan(parts, turn), asked, logged),
    openModel: (call) => openModel(parts, call, parts.models.stateless),
  };
}

/** Steps 1 and 2 of a session's turn, in the isolate that took the request. */
async function startSessionTurn(
  { pluginsOf }: AnswerPromptParts,
  command: TurnCommand,
  { caller, startTurn }: { caller: PromptCaller; startTurn: StartTurn },
): Promise<Response> {
  // 1 filter in. What is masked is masked in the history, too.
  const request = await pluginsOf(command.context).onPrompt(command.request, caller);
  // 2 accept. The Session object owns the turn from here.
  const reply = await startTurn({ ...command, request });
  if (!reply.ok) throw AppError.fromInfo(reply.error);
  return new Response(reply.value.body, reply.value);
}

/** A request without a session: it lives and ends with its reader. */
async function answerStateless(parts: AnswerPromptParts, prompt: StatelessPrompt): Promise<StatelessAnswer> {
  const { cache, lightModel, observer, usage, now } = parts;
  const { context, turnId, state, derived, timings, waitUntil } = prompt;
  // 1 filter in.
  const plugins = parts.pluginsOf(context, derived?.plugins);
  const request = await plugins.onPrompt(prompt.request, prompt.caller);
  const startedAtMs = now();
  const reportUsage = (result: () => TurnResult) =>
    usage.report(context, { turnId, startedAtMs, endedAtMs: now(), result }, waitUntil);
  const cached = {
    context,
    control: parseCacheControl(prompt.cacheControl),
    isAgain: false,
    canShare: true,
    // What was derived from the prompt as it was sent does not hold for another one.
    memo: request === prompt.request && state === undefined ? derived?.question : undefined,
    waitUntil,
  };
  // 2 accept. What this isolate knows goes out at once.
  let choice: ModelChoice | undefined;
  if (cache && state === undefined) {
    const known = await answerAtOnce({
      turnId,
      request,
      lightModel,
      find: (chosen) => cache.findLocal({ ...cached, choice: chosen }, request),
      plugins,
      timings,
      now,
      onEnd(answer, result) {
        observer.answeredAtOnce(answer);
        reportUsage(result);
      },
    });
    if (known.events) return { kind: 'known', events: known.events };
    choice = known.choice;
  }
  // 3 to 10.
  const reader = statelessReader(parts, prompt, request);
  const batches = answerTurn({
    turnId,
    request: prompt.isWhole ? { ...request, isWhole: true } : request,
    conversation: reader.conversation,
    choice,
    models: {
      lightModel,
      open: (chosen, place) =>
        openModel(parts, { context, turnId, choice: chosen, place }, parts.models.stateless),
    },
    plugins,
    withCache: cache?.ofTurn(cached),
    timings,
    signal: reader.signal,
    now,
    // 11 usage, 12 archive: of a stateless turn the archive takes what it used.
    onEnd(facts) {
      observer.turnEnded(context, facts);
      reportUsage(() => facts.result);
    },
  });
  return { kind: 'turn', batches, cancel: reader.cancel };
}

/** What ends with the reader of a stateless request: its signal, and its hold on the conversation that it keeps. */
function statelessReader(
  { conversations, turnTimeoutMs }: AnswerPromptParts,
  { context, turnId, state, caller, waitUntil }: StatelessPrompt,
  request: ChatRequest,
) {
  const reader = linkedAbortController(caller.signal);
  const { signal } = reader;
  const cancel = () => reader.abort();
  // It is dropped with the request, should that end before.
  setTimeout(cancel, turnTimeoutMs);
  const conversation =
    state === undefined ? undefined : conversations.sealed({ context, turnId, request, state });
  // When the client disconnects, nobody reads the turn to its end, and the client's state must be usable again.
  if (conversation) signal.addEventListener('abort', () => waitUntil(conversation.release()), { once: true });
  return { signal, cancel, conversation };
}

/** A session's turn as steps 3 to 11 take it, in its Session object. */
function sessionPlan(parts: AnswerPromptParts, turn: SessionTurn): TurnPlan {
  const { cache, lightModel, models, observer, now } = parts;
  const { conversation, timings, signal, stop, onAsk, waitUntil } = turn;
  const { context, turnId, request, branch, cacheControl, background } = turn.command;
  return {
    turnId,
    request,
    conversation,
    models: {
      lightModel,
      open: (choice, place) =>
        openModel(parts, { context, turnId, choice, place }, (call) =>
          models.session({ ...call, background }),
        ),
    },
    plugins: parts.pluginsOf(context),
    withCache: cache?.ofTurn({
      context,
      control: parseCacheControl(cacheControl),
      isAgain: branch?.kind === 'again',
      canShare: false,
      waitUntil,
    }),
    timings,
    signal,
    stop,
    now,
    onAsk,
    // 11 usage. 12 archive: the Session object does it once the turn's end is logged.
    onEnd: (facts) => observer.turnEnded(context, facts),
  };
}

/** Steps 6 and 7: the model that was chosen, within the caller's limits. */
function openModel(
  { limiter }: AnswerPromptParts,
  call: TurnCall,
  modelOf: (call: TurnCall) => ChatModel,
): ChatModel {
  const { context, turnId, choice, place } = call;
  // 7 model.
  const model = modelOf(call);
  // 6 limits: around the model, so that an answer of the cache costs nothing. A call that resumes is reserved already.
  return limiter.layer(model, { context, turnId, model: choice.model, isReserved: !place.isNew });
}

/**
 * Steps 3 to 10.
 * @throws AppError from the steps before the model is asked; afterwards every failure is an event
 */
export async function* answerTurn(plan: TurnPlan): AsyncGenerator<TurnBatch, void, void> {
  const { models, timings, now, turnId, signal } = plan;
  const startMs = now();
  // 3 context: the history is read, since the route depends on its length.
  const opened = await plan.conversation?.open();
  const earlierRounds = opened?.rounds ?? 0;
  const openedMs = now();
  // 4 route.
  const choice = plan.choice ?? chooseModel(plan.request, { lightModel: models.lightModel, earlierRounds });
  const routeMs = now() - openedMs;
  // 3 context: it is fitted into the model's window; only a question that fits is stored.
  const fitted = await opened?.fit(choice);
  const conversation = await fitted?.storeQuestion();
  const askedMs = now();
  timings.routeMs ??= routeMs;
  if (opened) timings.contextMs = askedMs - startMs - routeMs;

  const request = { ...(conversation?.request ?? plan.request), model: choice.model };
  const asked = { choice, createdAt: Math.floor(startMs / 1000) };
  await plan.onAsk?.(asked);
  const expander = new TurnExpander({ turnId, route: choice.route, createdAt: asked.createdAt });
  // 5 to 8.
  const events = modelLayers(plan, choice, earlierRounds).stream(request, signal);
  // 9 and 10.
  const relay = { events, expander, askedMs, modelEvents: 0, seq: 0, result: emptyTurnResult() };
  yield* relayModel(plan, conversation, relay);
}

/** Steps 5 to 8, as layers around the model: each asks the one inside it only when it must. */
function modelLayers(plan: TurnPlan, choice: ModelChoice, earlierRounds: number): ChatModel {
  // 6 limits, 7 model.
  const limited = plan.models.open(choice, newCall);
  // 5 cache: outside the limits. It also stores a whole answer (12).
  const cached = plan.withCache?.(limited, { choice, earlierRounds }) ?? limited;
  // 8 filter out: outermost, since a replayed answer is filtered, too.
  return plan.plugins.onAnswer(cached);
}

/** Steps 7 to 10 of a turn that was cut off after its model was asked. `logged`: the events of before. */
export async function* resumeTurn(
  plan: TurnPlan,
  { choice, createdAt }: AskedModel,
  logged: LoggedTurn,
): AsyncGenerator<TurnBatch, void, void> {
  const { turnId, now } = plan;
  const conversation = await plan.conversation?.reopen(choice);
  const request = { ...(conversation?.request ?? plan.request), model: choice.model };
  const expander = TurnExpander.restore({ turnId, createdAt, route: choice.route }, logged.events);
  const result = emptyTurnResult();
  for (const event of logged.events) foldTurnEvent(result, event);
  const { modelEvents } = logged;
  const events = resumedModel(plan, choice, modelEvents).stream(request, plan.signal);
  const seq = logged.events.length;
  yield* relayModel(plan, conversation, { events, expander, askedMs: now(), modelEvents, seq, result });
}

/** The rest of an answer of which that many events are known. */
function resumedModel({ models, plugins }: TurnPlan, choice: ModelChoice, known: number): ChatModel {
  const isNew = known === 0;
  // Text that plugins held back is lost: they get the answer again from its beginning.
  if (plugins.changesAnswers && choice.route.place === 'core')
    return skipEvents(plugins.onAnswer(models.open(choice, { from: 0, isNew })), known);
  return models.open(choice, { from: known, isNew });
}

/** Step 9: the model's events as the turn's. Then step 10, and `onEnd` for 11 and 12. */
async function* relayModel(
  plan: TurnPlan,
  conversation: AskedConversation | undefined,
  relay: ModelRelay,
): AsyncGenerator<TurnBatch, void, void> {
  const { signal, timings, turnId, now, onEnd } = plan;
  const { result } = relay;
  let abortedAtMs: number | undefined;
  const noteAbort = () => {
    abortedAtMs = now();
  };
  signal.addEventListener('abort', noteAbort, { once: true });
  try {
    for await (const batch of eventBatches(relay.events)) {
      // 9 events.
      const events = toTurnEvents(plan, relay, batch);
      const last = events.at(-1)?.event;
      if (conversation && last?.type === 'turn-end') {
        last.receipt = await conversation.receipt();
        // 10 history, of a client that keeps it: its new state goes out with the last event.
        if (conversation.storesAnswer === 'before-end') {
          const state = await conversation.sealAnswer(result);
          if (state !== undefined) last.receipt = { ...last.receipt, state };
        }
        result.receipt = last.receipt;
      }
      if (events.length > 0) yield { events, modelEvents: relay.modelEvents };
    }
  } finally {
    signal.removeEventListener('abort', noteAbort);
    // 11 usage, 12 archive.
    onEnd?.({
      turnId,
      result,
      provider: relay.provider,
      firstTokenMs: timings.firstTokenMs,
      durationMs: now() - relay.askedMs,
      abortMs: abortedAtMs === undefined ? undefined : now() - abortedAtMs,
    });
  }
  // 10 history.
  if (conversation?.storesAnswer === 'after-end') await conversation.storeAnswer(result);
}
