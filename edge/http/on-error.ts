/** The only place at the edge that builds error responses. */
import { type AppError, toAppError, toOpenAIError } from '../../shared/errors.ts';
import { toRateLimitHeaders } from '../limits/rate-limit-headers.ts';
import { logError } from '../observe/log.ts';
import { REQUEST_ID_HEADER } from './answer-headers.ts';
import type { EdgeContext } from './edge-hono.ts';
import { securityHeaders } from './security-headers.ts';

export function onError(thrown: Error, c: EdgeContext): Response {
  const error = toAppError(thrown);
  const requestId = c.get('requestId') ?? '';
  c.set('errorCode', error.code);
  logError({ requestId, error });
  const body = toOpenAIError(error.toInfo(), requestId);
  return Response.json(body, { status: error.status, headers: errorHeaders(error) });
}

/** The response of a Worker that cannot start, for example with a wrong configuration: the fault is logged, not shown. */
export function toStartErrorResponse(thrown: unknown): Response {
  const error = toAppError(thrown);
  const requestId = crypto.randomUUID();
  logError({ requestId, error });
  return Response.json(toOpenAIError(error.toInfo(), requestId), {
    status: error.status,
    headers: { ...securityHeaders, [REQUEST_ID_HEADER]: requestId, ...errorHeaders(error) },
  });
}

/**
 * OpenAI's clients retry 408, 409, 429 and 5xx automatically; `x-should-retry` says whether a retry can help, and
 * `retry-after-ms` when.
 */
function errorHeaders(error: AppError): Record<string, string> {
  const headers: Record<string, string> = {
    'cache-control': 'no-store',
    'x-should-retry': String(error.retryable),
  };
  if (error.limits) Object.assign(headers, toRateLimitHeaders(error.limits));
  if ((error.retryable || error.retryAfterMs !== undefined) && error.status !== 500) {
    const waitMs = error.retryAfterMs ?? 1000;
    headers['retry-after'] = String(Math.max(1, Math.ceil(waitMs / 1000)));
    headers['retry-after-ms'] = String(waitMs);
  }
  if (error.status === 401) headers['www-authenticate'] = challenge(error);
  return headers;
}

/** RFC 6750, section 3: no error code when no token was sent. */
function challenge({ code, message }: AppError): string {
  const realm = 'Bearer realm="edgewise"';
  return code === 'missing_token' ? realm : `${realm}, error="invalid_token", error_description="${message}"`;
}
