/**
 * The one table of what an upstream's failure means: its status, code, headers and connection faults become an error of
 * ours, and each error says whether a ladder steps down, whether the same model is asked again, and what its breaker
 * learns. Used by the light model at the edge, the core's providers, tasks and embeddings.
 */
import { AppError, type ErrorCode, type ErrorInfo } from '../errors.ts';
import { TooLargeError } from '../stream/bounded-bytes.ts';

/** What an upstream answered in place of an answer. Nothing of it is trusted. */
export interface UpstreamFailure {
  /** Absent for an error object inside a stream. */
  status?: number | undefined;
  code?: unknown;
  type?: unknown;
  message?: unknown;
  param?: unknown;
  headers?: Pick<Headers, 'get'> | undefined;
}

/** Statuses; those that are not here fall to their class. */
const byStatus: Readonly<Record<number, ErrorCode>> = {
  401: 'upstream_auth_failed',
  402: 'upstream_quota_exhausted',
  403: 'upstream_auth_failed',
  // The configuration's mistake and not the caller's, so that a ladder goes on.
  404: 'upstream_model_missing',
  408: 'upstream_unavailable',
  // A lock at the upstream: OpenAI's clients retry it.
  409: 'upstream_error',
  413: 'context_length_exceeded',
  429: 'upstream_rate_limited',
  503: 'upstream_overloaded',
  504: 'first_token_timeout',
  // Anthropic: https://docs.anthropic.com/en/api/errors
  529: 'upstream_overloaded',
};

/** Codes and types that say more than the status, in any form of writing. */
const byCode: Readonly<Record<string, ErrorCode>> = {
  insufficient_quota: 'upstream_quota_exhausted',
  billing_hard_limit_reached: 'upstream_quota_exhausted',
  context_length_exceeded: 'context_length_exceeded',
  // llama.cpp's server
  exceed_context_size_error: 'context_length_exceeded',
  model_not_found: 'upstream_model_missing',
  // Azure
  deploymentnotfound: 'upstream_model_missing',
  rate_limit_exceeded: 'upstream_rate_limited',
  rate_limit_error: 'upstream_rate_limited',
  overloaded_error: 'upstream_overloaded',
  server_is_overloaded: 'upstream_overloaded',
};

/** Some services (vLLM, Mistral, TGI) say only in their text that a prompt is too long. */
const tooLong = /maximum context length|context (?:length|window|size)|(?:prompt|input) is too long/i;

/** What follows from an error, by its code. */
export interface FailureRule {
  /** Whether another model may do better: a ladder asks its next one. */
  stepsDown: boolean;
  /** Whether the same model may do better in a moment, where the error is retryable at all. */
  retriesSoon: boolean;
  /** What the model's breaker learns. `good`: an answer that refuses a request is an answer; `unknown`: nothing. */
  breaker: 'good' | 'failed' | 'unknown';
}

const usual: FailureRule = { stepsDown: true, retriesSoon: true, breaker: 'good' };
const modelFails: FailureRule = { ...usual, breaker: 'failed' };

const rules: Readonly<Partial<Record<ErrorCode, FailureRule>>> = {
  upstream_error: modelFails,
  upstream_cut: modelFails,
  upstream_invalid: modelFails,
  upstream_too_large: modelFails,
  upstream_unavailable: modelFails,
  upstream_overloaded: modelFails,
  upstream_auth_failed: modelFails,
  connect_timeout: modelFails,
  first_token_timeout: modelFails,
  idle_timeout: modelFails,
  // Every model would reject the request.
  upstream_rejected: { ...usual, stepsDown: false },
  // Nobody waits for the answer any more.
  cancelled: { stepsDown: false, retriesSoon: false, breaker: 'unknown' },
  deadline_exceeded: { stepsDown: false, retriesSoon: false, breaker: 'unknown' },
  // Retryable by the client, elsewhere or later.
  shutting_down: { stepsDown: false, retriesSoon: false, breaker: 'good' },
  // It has waited for its turn as long as it may.
  model_busy: { stepsDown: true, retriesSoon: false, breaker: 'unknown' },
};

export function failureRule(code: ErrorCode): FailureRule {
  return rules[code] ?? usual;
}

/** Whether the same model is asked again. */
export function canRetrySoon({ code, retryable }: Pick<ErrorInfo, 'code' | 'retryable'>): boolean {
  return retryable && failureRule(code).retriesSoon;
}

/** Whether the failure is one of the request's own content, so that a part of it may still be answered. */
export function isRequestFault(code: ErrorCode): boolean {
  return code === 'upstream_rejected' || code === 'context_length_exceeded';
}

/** How long an upstream that refuses without saying for how long gets no calls. */
const DEFAULT_PAUSE_MS = 1000;

/** @returns how long no call goes to the upstream; `undefined` when it did not ask for a pause */
export function upstreamPauseMs({
  code,
  retryAfterMs,
}: Pick<ErrorInfo, 'code' | 'retryAfterMs'>): number | undefined {
  return code === 'upstream_rate_limited' ? (retryAfterMs ?? DEFAULT_PAUSE_MS) : undefined;
}

/** What the caller may read of an upstream's refusal of its request: these fields, and no other. */
export type DescribeRejection = (failure: Pick<UpstreamFailure, 'message' | 'param'>) => {
  message: string;
  param: string | undefined;
};

export interface UpstreamErrorOptions {
  /** Without it the caller reads the code's own text. */
  describe?: DescribeRejection;
  cause?: unknown;
  /** Unix time, for a `retry-after` that is a date. */
  nowMs?: number;
}

export function toUpstreamError(
  failure: UpstreamFailure,
  { describe, cause, nowMs = Date.now() }: UpstreamErrorOptions = {},
): AppError {
  const { status, headers } = failure;
  const code = codeOf(failure);
  if (isRequestFault(code)) {
    return new AppError(code, { ...describe?.(failure), cause });
  }
  // A redirect is not followed, and the next try would meet it again.
  const isRedirect = status !== undefined && status < 400;
  const advice = headers?.get('x-should-retry');
  const retryable = isRedirect || advice === 'false' ? false : advice === 'true' ? true : undefined;
  return new AppError(code, {
    ...(retryable !== undefined && { retryable }),
    retryAfterMs: readRetryAfterMs(headers, nowMs),
    cause,
  });
}

function codeOf({ status, code, type, message }: UpstreamFailure): ErrorCode {
  if (status !== undefined && status < 400) return 'upstream_error';
  for (const name of [code, type]) {
    const known = typeof name === 'string' ? name.toLowerCase() : '';
    if (Object.hasOwn(byCode, known)) return byCode[known] as ErrorCode;
  }
  if (status === undefined) return 'upstream_error';
  if ((status === 400 || status === 422) && typeof message === 'string' && tooLong.test(message))
    return 'context_length_exceeded';
  return byStatus[status] ?? (status < 500 ? 'upstream_rejected' : 'upstream_error');
}

/**
 * A fault of the connection, or of what came over it.
 * @param isOpen Whether the upstream had begun to answer
 */
export function toConnectionError(
  thrown: unknown,
  { signal, isOpen }: { signal: AbortSignal; isOpen: boolean },
): AppError {
  if (signal.aborted) return new AppError('cancelled');
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof TooLargeError) return new AppError('upstream_too_large', { cause: thrown });
  if (thrown instanceof SyntaxError) return new AppError('upstream_invalid', { cause: thrown });
  return new AppError(isOpen ? 'upstream_cut' : 'upstream_unavailable', { cause: thrown });
}

/** Most of a refusal's body that is read: enough for any error object. */
export const MAX_BODY_BYTES = 16 * 1024;

/** Reads what an upstream that answered with a failure says. Never rejects. */
export async function readUpstreamError(
  response: Response,
  options?: UpstreamErrorOptions,
): Promise<AppError> {
  const { status, headers } = response;
  const body = parseObject(await readBodyStart(response));
  const error = typeof body?.error === 'object' ? (body.error as Record<string, unknown> | null) : body;
  const { code, type, message, param } = error ?? {};
  return toUpstreamError({ status, headers, code, type, message, param }, options);
}

/** The beginning of a refusal's body, up to {@link MAX_BODY_BYTES}. Never rejects. */
export async function readBodyStart({ body }: Response): Promise<string> {
  const reader = body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (let bytes = 0; bytes < MAX_BODY_BYTES; ) {
      const { done, value } = await reader.read();
      if (done) return text;
      bytes += value.byteLength;
      text += decoder.decode(value.subarray(0, MAX_BODY_BYTES), { stream: true });
    }
    await reader.cancel();
  } catch {
    // What came before the connection broke may say enough, and the status does.
  }
  return text;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const MAX_RETRY_AFTER_MS = 3_600_000;

/** `retry-after-ms`, or `retry-after` as seconds or as a date (RFC 9110, section 10.2.3). */
function readRetryAfterMs(headers: UpstreamFailure['headers'], nowMs: number): number | undefined {
  const exact = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (exact >= 0) return Math.min(exact, MAX_RETRY_AFTER_MS);
  const text = headers?.get('retry-after') ?? '';
  const waitMs = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return waitMs >= 0 ? Math.min(waitMs, MAX_RETRY_AFTER_MS) : undefined;
}
