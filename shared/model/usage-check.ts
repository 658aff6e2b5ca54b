/**
 * What an upstream says that an answer used, against what the request and the answer can explain. One number is charged to
 * a customer and stored for good, so nothing is taken on an upstream's word.
 */

import type { ChatRequest, Usage } from './chat-model.ts';
import { answersAsked, askedOutputTokens, readsMoreThanSent, requestBytes } from './request-size.ts';

/** `malformed`: no whole number, or below 0; `zero`: nothing, where there was something; `too_large`: more than can be. */
export const usageFaults = ['malformed', 'zero', 'too_large'] as const;
export type UsageFault = (typeof usageFaults)[number];

/** A count that was replaced by our own. */
export interface RejectedCount {
  /** The registry's name of the model. */
  model: string;
  /** `chat`, or the name of a task. */
  operation: string;
  tokenType: 'input' | 'output' | 'total';
  fault: UsageFault;
}

export interface CountBounds {
  /** 0 or 1: whether something must have been used. */
  least: number;
  most: number;
}

/** @returns what is wrong with a count; `undefined` for one that can be */
export function countFault(tokens: unknown, { least, most }: CountBounds): UsageFault | undefined {
  if (!Number.isInteger(tokens) || (tokens as number) < 0) return 'malformed';
  if ((tokens as number) < least) return 'zero';
  return (tokens as number) > most ? 'too_large' : undefined;
}

/** What is known of the model that answers. */
export interface ModelBounds {
  /** Tokens. */
  contextLength: number;
  /** Most tokens of an answer where the request names no bound. */
  maxOutputTokens: number;
}

/** What a service may add to a prompt by itself: its template, its own system prompt, its way of offering tools. */
export const INPUT_SLACK_TOKENS = 4096;
/** What an answer may take besides its words: marks of its beginning, its end and its calls. */
export const OUTPUT_SLACK_TOKENS = 256;

/** A token is a byte or more. Where a service reads media or searches pages, the context length is the bound. */
export function inputBounds(request: ChatRequest, { contextLength }: ModelBounds): CountBounds {
  const sent = requestBytes(request) + INPUT_SLACK_TOKENS;
  return {
    least: request.messages.length > 0 ? 1 : 0,
    most: readsMoreThanSent(request) ? Math.max(sent, contextLength) : sent,
  };
}

/**
 * The bytes that came, and what a model may think or write without showing it: as much as the request allows an answer,
 * or the model's usual maximum, for each answer that was asked for.
 */
export function outputBounds(
  { params }: ChatRequest,
  saidBytes: number,
  { contextLength, maxOutputTokens }: ModelBounds,
): CountBounds {
  const unseen = Math.min(contextLength, askedOutputTokens(params) ?? maxOutputTokens) * answersAsked(params);
  return { least: saidBytes > 0 ? 1 : 0, most: saidBytes + unseen + OUTPUT_SLACK_TOKENS };
}

/** Details that fit their whole; those that do not are left out, since nothing is charged for their lack. */
export function checkedDetails(
  { cachedInputTokens, reasoningTokens }: Usage,
  inputTokens: number,
  mostOutput: number,
): Pick<Usage, 'cachedInputTokens' | 'reasoningTokens'> {
  const fits = (tokens: number | undefined, most: number) =>
    tokens !== undefined && countFault(tokens, { least: 0, most }) === undefined;
  return {
    ...(fits(cachedInputTokens, inputTokens) && { cachedInputTokens }),
    // Some services count thoughts beside the answer and not in it.
    ...(fits(reasoningTokens, mostOutput) && { reasoningTokens }),
  };
}
