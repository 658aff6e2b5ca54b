import type { MiddlewareHandler } from 'hono';
import { AppError, toAppError } from '../../shared/errors.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import { verifyServiceToken } from '../../shared/protocol/service-token.ts';
import type { CoreConfig } from '../env.ts';
import { logLine } from '../observe/log.ts';
import type { CoreContext, CoreHono } from './core-hono.ts';

const REFUSALS_LOGGED_EVERY_MS = 60_000;
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
  const { serviceKey, previousServiceKey } = config;
  const keys = previousServiceKey ? [serviceKey, previousServiceKey] : [serviceKey];
  let nextLogMs = Number.NEGATIVE_INFINITY;
  /** Strangers may call as often as they like; one line a minute shows an operator that secrets or clocks differ. */
  function logRefusal(error: unknown): never {
    const { code } = toAppError(error);
    if (code !== 'missing_token' && now() >= nextLogMs) {
      nextLogMs = now() + REFUSALS_LOGGED_EVERY_MS;
      logLine('warn', 'a call is refused: its service token is not valid here', { 'error.code': code });
    }
    throw error;
  }
  return async function verifyEdge(c, next) {
    let bytes = new Uint8Array();
    const { pathname, search } = new URL(c.req.url);
    const token = c.req.header('authorization')?.match(/^Bearer (\S+)$/)?.[1];
    // A stranger's body is never read: it may be 32 MB.
    const body = async () => {
      if (c.req.method !== 'GET') bytes = await readBody(c.req.raw);
      return bytes;
    };
    const call = { method: c.req.method, path: pathname + search, body };
    const context = await verifyServiceToken(keys, token, call, now()).catch(logRefusal);
    refuseBeyondSession(context, pathname);
    refuseNul(c);
    // The edge sends it where traces are exported.
    c.set('request', { ...context, traceparent: c.req.header('traceparent') });
    const isForm = c.req.header('content-type')?.startsWith('multipart/');
    c.set('bytes', bytes);
    c.set('body', isForm ? '' : new TextDecoder().decode(bytes));
    await next();
  };
}

/** The edge has its own list (`edge/http/bound-token.ts`); this one holds where that has a gap. @throws AppError `insufficient_scope` */
function refuseBeyondSession({ session }: RequestContext, pathname: string): void {
  if (session === undefined || /^\/v1\/(?:generations|models)(?:\/|$)/.test(pathname)) return;
  throw new AppError('insufficient_scope', {
    message: 'The token is bound to one session and cannot use this route.',
  });
}

/** @throws AppError `request_too_large`, before more than the limit is held */
async function readBody({ headers, body }: Request): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw new AppError('request_too_large');
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new AppError('request_too_large');
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks, length));
}

/** No store takes U+0000 in an id, and no client means one. @throws AppError `invalid_value` that names the parameter */
function refuseNul(c: CoreContext): void {
  const { pathname, searchParams } = new URL(c.req.url);
  const refuse = (param: string): never => {
    throw new AppError('invalid_value', { param, message: `'${param}' must not contain a NUL character.` });
  };
  if (/%00|\0/.test(pathname)) refuse('path');
  for (const [name, value] of searchParams)
    if (`${name}${value}`.includes('\0')) refuse(name.replaceAll('\0', ''));
}
