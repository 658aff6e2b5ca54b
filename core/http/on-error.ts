/** The only place in the core that builds error responses. They go to the edge, as {@link ErrorInfo}. */
import { AppError, type ErrorInfo, toAppError } from '../../shared/errors.ts';
import { errorFields } from '../observe/error-fields.ts';
import { logLine } from '../observe/log.ts';
import type { CoreContext } from './core-hono.ts';

export function onError(thrown: Error, c: CoreContext): Response {
  const error = toAppError(thrown);
  if (error.code === 'internal_error') {
    logLine('error', 'internal error', {
      'http.request.id': c.get('request')?.requestId,
      ...errorFields(error.cause ?? error),
    });
  }
  const body: { error: ErrorInfo } = { error: error.toInfo() };
  return Response.json(body, { status: error.status, headers: { 'cache-control': 'no-store' } });
}

export function onNotFound(c: CoreContext): Response {
  return onError(new AppError('route_not_found'), c);
}
