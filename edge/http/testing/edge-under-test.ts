/** Routes of the edge in this process, with an authenticated caller. */
import { Hono } from 'hono';
import type { RequestContext } from '../../../shared/protocol/request-context.ts';
import { someContext } from '../../../shared/testing/request-context.ts';
import type { EdgeBindings } from '../../bindings.ts';
import type { BodyLimits, EdgeHono } from '../edge-hono.ts';
import { onError } from '../on-error.ts';

export interface EdgeCaller {
  /** Changes to the caller, who is user `u` of tenant `t` without scopes. */
  as?: Partial<RequestContext>;
  isKey?: boolean;
  bodyLimits?: Partial<BodyLimits>;
  env?: EdgeBindings;
  /** Aborted when the caller leaves. */
  signal?: AbortSignal;
}

export type Send = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Response>;

/** @returns a function that sends a request: a string, bytes, a stream or a form unchanged, anything else as JSON */
export function edgeUnderTest(addRoutes: (app: Hono<EdgeHono>) => void, caller: EdgeCaller = {}): Send {
  const app = new Hono<EdgeHono>();
  app.use(async (c, next) => {
    const request = someContext({ requestId: 'req-1', ...caller.as });
    c.set('requestId', request.requestId);
    c.set('request', request);
    c.set('isKey', caller.isKey ?? false);
    c.set('bodyLimits', {
      maxBodyBytes: 1000,
      maxUploadBytes: 2000,
      bodyTimeoutMs: 10_000,
      ...caller.bodyLimits,
    });
    await next();
  });
  addRoutes(app);
  app.onError(onError);
  return async (method, path, body, headers = {}) => {
    const isRaw =
      typeof body === 'string' ||
      body instanceof FormData ||
      body instanceof Uint8Array ||
      body instanceof ReadableStream;
    const isJson = body !== undefined && !isRaw;
    const init = {
      method,
      headers: { ...(isJson && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: isRaw ? (body as BodyInit) : JSON.stringify(body) }),
      ...(body instanceof ReadableStream && { duplex: 'half' }),
      ...(caller.signal && { signal: caller.signal }),
    };
    return app.request(path, init, caller.env);
  };
}
