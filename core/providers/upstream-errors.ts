/** What an upstream's failure means to us. The one place that reads a provider's errors. */
import { APIConnectionError, APIError, APIUserAbortError } from 'openai';
import { AppError, type ErrorCode } from '../../shared/errors.ts';

export function toUpstreamError(thrown: unknown, signal: AbortSignal): AppError {
  if (signal.aborted || thrown instanceof APIUserAbortError) return new AppError('cancelled');
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof APIConnectionError) return new AppError('upstream_unavailable', { cause: thrown });
  if (thrown instanceof APIError) return toStatusError(thrown);
  if (thrown instanceof SyntaxError) return new AppError('upstream_invalid', { cause: thrown });
  // What is left is a connection that broke while the answer was being read.
  return new AppError('upstream_cut', { cause: thrown });
}

function toStatusError(error: APIError): AppError {
  const cause = error;
  const { status, code } = error;
  // An error object inside the stream has no status.
  if (status === undefined) return new AppError('upstream_error', { cause });
  // A redirect is not followed, and the next try would meet it again.
  if (status < 400) return new AppError('upstream_error', { retryable: false, cause });
  if (status === 401 || status === 403) return new AppError('upstream_auth_failed', { cause });
  if (status === 429) {
    if (code === 'insufficient_quota') return new AppError('upstream_quota_exhausted', { cause });
    return new AppError('upstream_rate_limited', { retryAfterMs: retryAfterMs(error), cause });
  }
  // The registry's mistake and not the caller's, so that a ladder goes on.
  if (status === 404) return new AppError('upstream_model_missing', { cause });
  if (status === 408) return new AppError('upstream_unavailable', { cause });
  if (status >= 400 && status < 500) {
    const rejected: ErrorCode = code === 'context_length_exceeded' ? code : 'upstream_rejected';
    return new AppError(rejected, { message: publicText(error), param: error.param ?? undefined, cause });
  }
  if (status === 503)
    return new AppError('upstream_overloaded', { retryAfterMs: retryAfterMs(error), cause });
  if (status === 504) return new AppError('first_token_timeout', { cause });
  return new AppError('upstream_error', { cause });
}

const MAX_RETRY_AFTER_MS = 3_600_000;

/** `retry-after-ms`, or `retry-after` as seconds or as a date (RFC 9110, section 10.2.3). */
function retryAfterMs({ headers }: APIError): number | undefined {
  const exact = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (exact >= 0) return Math.min(exact, MAX_RETRY_AFTER_MS);
  const text = headers?.get('retry-after') ?? '';
  const waitMs = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return waitMs >= 0 ? Math.min(waitMs, MAX_RETRY_AFTER_MS) : undefined;
}

/** Keys, addresses and account names, which upstreams like to repeat in their messages. */
const secrets =
  /https?:\/\/\S+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\b(?:sk|pk|rk|org|proj|key|user|asst|ft)[-_][\w*.-]{4,}|\b[A-Za-z0-9_*-]{32,}\b|\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|io|ai|cn|dev|local)\b/gi;
const MAX_TEXT = 500;

/** The upstream's own words on what is wrong with the request, which only the caller can mend. */
function publicText(error: APIError): string {
  const said = (error.error as { message?: unknown } | undefined)?.message;
  if (typeof said !== 'string' || said === '') return 'The model rejected the request.';
  return `The model rejected the request: ${said.replace(secrets, '[redacted]').slice(0, MAX_TEXT)}`;
}
