import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { every } from 'hono/combine';
import { AppError } from '../../shared/errors.ts';
import { verifyServiceToken } from '../../shared/service-token.ts';
import type { CoreServices } from '../services.ts';
import type { CoreHono } from './core-hono.ts';

/** The edge has limited the client's body already; a window of history comes on top. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Lets in calls that an edge has signed, and takes the request's context from the signature. */
export function serviceAuth({ config, now }: CoreServices): MiddlewareHandler<CoreHono> {
  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => {
      throw new AppError('request_too_large');
    },
  });
  return every(limit, async function verifyEdge(c, next) {
    const body = c.req.method === 'GET' ? '' : await c.req.text();
    const { pathname, search } = new URL(c.req.url);
    const token = c.req.header('authorization')?.match(/^Bearer (\S+)$/)?.[1];
    const call = { method: c.req.method, path: pathname + search, body };
    c.set('request', await verifyServiceToken(config.serviceKey, token, call, now()));
    c.set('body', body);
    await next();
  });
}
