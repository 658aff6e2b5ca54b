/**
 * Light or heavy: the router. A pure function of the request, microseconds long, that says why.
 *
 * `auto` goes to the edge's light model when nothing speaks against it. The signs are checked in the order
 * of {@link heavySigns}; the first that holds sends the prompt to the core and is the reason shown in
 * `x-edgewise-route`. `fast` is the light model where there is one, `smart` and every other name go to the
 * core, and the light model's own name stays at the edge.
 */
import { type ChatMessage, type ChatRequest, messageText } from '../../shared/model/chat-model.ts';
import type { ModelChoice } from '../models/model-choice.ts';

export interface RouteFacts {
  /** Name of the edge's light model, when one is configured. */
  lightModel: string | undefined;
  /** Rounds of the conversation before this turn. */
  earlierRounds: number;
}

/** A newest message longer than this is heavy. CJK characters say more each and count three times. */
export const LIGHT_MESSAGE_CHARS = 600;
/** A conversation with more rounds than this leans on its context. */
export const LIGHT_ROUNDS = 12;
/** An answer allowed to be longer than this is heavy. */
export const LIGHT_ANSWER_TOKENS = 1024;

const codeSigns =
  /```|\b(?:function|class|def|import|const|SELECT|INSERT|stack trace|traceback|regex|compile|refactor|debug)\b|[;{}]\s*\n|代码|函数|编译|报错|调试|正则/;
const reasoningSigns =
  /\b(?:prove|proof|derive|step[- ]by[- ]step|reason(?:ing)? through|analy[sz]e|compare|contrast|evaluate|trade-?offs?|design|architect|plan|optimi[sz]e|solve|calculate|essay|report|in detail|thorough(?:ly)?)\b|证明|推导|逐步|一步一步|分析|比较|对比|评估|权衡|设计|规划|优化|求解|计算|论文|报告|详细|深入/i;
const cjk = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g;

/** In order: the first sign that holds is the reason. */
const heavySigns: readonly [reason: string, holds: (question: Question) => boolean][] = [
  ['tools', ({ params }) => Array.isArray(params.tools) && params.tools.length > 0],
  ['structured output', ({ params }) => isStructured(params.response_format)],
  ['images or files', ({ messages }) => messages.some(hasOtherThanText)],
  ['reasoning effort', ({ params }) => params.reasoning_effort !== undefined],
  ['long answer', ({ params }) => answerLimit(params) > LIGHT_ANSWER_TOKENS],
  ['long prompt', ({ text }) => weightedLength(text) > LIGHT_MESSAGE_CHARS],
  ['long conversation', ({ rounds }) => rounds > LIGHT_ROUNDS],
  ['code', ({ text }) => codeSigns.test(text)],
  ['reasoning', ({ text }) => reasoningSigns.test(text)],
  ['several questions', ({ text }) => (text.match(/[?？]/g)?.length ?? 0) > 2],
];

interface Question {
  text: string;
  messages: ChatMessage[];
  params: ChatRequest['params'];
  rounds: number;
}

export function chooseModel(request: ChatRequest, facts: RouteFacts): ModelChoice {
  const { lightModel } = facts;
  const core = (model: string, reason: string): ModelChoice => ({ route: { place: 'core', reason }, model });
  const edge = (model: string, reason: string): ModelChoice => ({ route: { place: 'edge', reason }, model });

  // Documents are the core's to read.
  if (request.recall?.knowledge && (request.model === lightModel || request.model === 'auto'))
    return core('auto', 'knowledge');
  if (request.recall?.knowledge) return core(request.model, 'knowledge');
  if (request.model === 'smart') return core('smart', 'asked for smart');
  if (request.model === 'fast') {
    return lightModel
      ? { ...edge(lightModel, 'asked for fast'), wish: 'fast' }
      : core('fast', 'asked for fast; no light model');
  }
  if (request.model !== 'auto') {
    return request.model === lightModel
      ? { ...edge(lightModel, 'asked by name'), wish: 'by-name' }
      : core(request.model, 'asked by name');
  }
  if (!lightModel) return core('auto', 'no light model');

  const question: Question = {
    text: newestUserText(request.messages),
    messages: request.messages,
    params: request.params,
    rounds: Math.max(facts.earlierRounds, countRounds(request.messages)),
  };
  const sign = heavySigns.find(([, holds]) => holds(question));
  return sign ? core('auto', sign[0]) : edge(lightModel, 'short and simple');
}

function newestUserText(messages: ChatMessage[]): string {
  const newest = messages.findLast((message) => message.role === 'user');
  return newest ? messageText(newest) : '';
}

function countRounds(messages: ChatMessage[]): number {
  return messages.filter((message) => message.role === 'user').length - 1;
}

function weightedLength(text: string): number {
  return text.length + 2 * (text.match(cjk)?.length ?? 0);
}

function hasOtherThanText(message: ChatMessage): boolean {
  return (
    Array.isArray(message.content) &&
    message.content.some((part) => part.type !== 'text' && part.type !== 'refusal')
  );
}

function isStructured(format: unknown): boolean {
  return typeof format === 'object' && format !== null && 'type' in format && format.type !== 'text';
}

function answerLimit(params: ChatRequest['params']): number {
  const limit = params.max_completion_tokens ?? params.max_tokens;
  return typeof limit === 'number' ? limit : 0;
}
