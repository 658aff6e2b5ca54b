/** Answers a parsed prompt: collects the inputs from the request, and creates the response. */
import type { ChatRequest } from '../../shared/model/chat-model.ts';
import type { AnswerPrompt, DerivedFromPrompt } from '../chat/prompt-contract.ts';
import type { TurnTimings } from '../observe/turn-timings.ts';
import type { TurnCommand } from '../session/turn-command.ts';
import { createWire, type WireRequest } from '../wire/create-wire.ts';
import { toKnownResponse, toTurnResponse } from '../wire/turn-response.ts';
import { answerHeaders, authTiming } from './answer-headers.ts';
import type { EdgeContext } from './edge-hono.ts';
import { sessionOfCaller } from './session-of-caller.ts';

export interface PromptAnswersOptions {
  prompts: Pick<AnswerPrompt, 'startSessionTurn' | 'answerStateless'>;
  heartbeatMs: number;
  /** Unix time in milliseconds. */
  now: () => number;
}

export interface StatelessTurn {
  turnId: string;
  request: ChatRequest;
  derived?: DerivedFromPrompt | undefined;
  /** The sealed conversation that the client keeps. */
  state?: string | undefined;
  wire: WireRequest;
}

export interface PromptAnswers {
  /** Starts a turn of one of the caller's sessions. @returns the response of its first reader */
  answerInSession(
    c: EdgeContext,
    command: Omit<TurnCommand, 'context' | 'createdAt' | 'cacheControl'>,
  ): Promise<Response>;
  /** Answers a prompt without a session. */
  answerStateless(c: EdgeContext, turn: StatelessTurn): Promise<Response>;
}

export function createPromptAnswers({ prompts, heartbeatMs, now }: PromptAnswersOptions): PromptAnswers {
  return {
    async answerInSession(c, turn) {
      const { sessionId } = turn;
      const command: TurnCommand = {
        ...turn,
        context: c.get('request'),
        createdAt: Math.floor(now() / 1000),
        cacheControl: c.req.header('cache-control'),
      };
      const response = await prompts.startSessionTurn(command, c.req.raw, (filtered) =>
        sessionOfCaller(c, sessionId).startTurn(filtered),
      );
      response.headers.set('x-session-id', sessionId);
      response.headers.append('server-timing', authTiming(c));
      return response;
    },

    async answerStateless(c, { turnId, request, derived, state, wire }) {
      const context = c.get('request');
      const timings: TurnTimings = {};
      const answer = await prompts.answerStateless({
        context,
        turnId,
        request,
        derived,
        state,
        cacheControl: c.req.header('cache-control'),
        isWhole: !wire.stream,
        caller: c.req.raw,
        timings,
        waitUntil: (work) => c.executionCtx.waitUntil(work),
      });
      const createdAt = Math.floor(now() / 1000);
      const options = {
        turnId,
        wire: createWire(wire, { requestId: context.requestId, ids: false, createdAt }),
        stream: wire.stream,
        after: -1,
        timings,
        headers: { ...answerHeaders(c), 'server-timing': authTiming(c) },
        heartbeatMs,
      };
      const response =
        answer.kind === 'known'
          ? await toKnownResponse(answer.events, options)
          : await toTurnResponse(answer.batches, { ...options, onCancel: answer.cancel });
      c.set('completeResponse', response);
      return response;
    },
  };
}
