import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { every } from 'hono/combine';
import { AppError } from '../../shared/errors.ts';
import { verifyServiceToken } from '../../shared/protocol/service-token.ts';
import type { CoreConfig } from '../env.ts';
import type { CoreHono } from './core-hono.ts';

/** The edge has limited the client's body already: a file of 25 MB, or a prompt with its window of history. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Lets in calls that an edge has signed, and takes the request's context from the signature. */
export function serviceAuth({
  config,
  now,
}: {
  config: CoreConfig;
  now: () => number;
}): MiddlewareHandler<CoreHono> {
  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => {
      throw new AppError('request_too_large');
    },
  });
  return every(limit, async function verifyEdge(c, next) {
    const bytes = c.req.method === 'GET' ? new Uint8Array() : new Uint8Array(await c.req.arrayBuffer());
    const { pathname, search } = new URL(c.req.url);
    const token = c.req.header('authorization')?.match(/^Bearer (\S+)$/)?.[1];
    const call = { method: c.req.method, path: pathname + search, body: bytes };
    const context = await verifyServiceToken(config.serviceKey, token, call, now());
    // The edge sends it where traces are told.
    c.set('request', { ...context, traceparent: c.req.header('traceparent') });
    const isForm = c.req.header('content-type')?.startsWith('multipart/');
    c.set('bytes', bytes);
    c.set('body', isForm ? '' : new TextDecoder().decode(bytes));
    await next();
  });
}
