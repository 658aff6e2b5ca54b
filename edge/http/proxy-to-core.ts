/** A request that the core answers in the client's own format: limited in size here, and forwarded unchanged. */
import { AppError } from '../../shared/errors.ts';
import type { CoreCall, CoreRequest } from '../core-client/core-call.ts';
import type { EdgeContext } from './edge-hono.ts';
import { readJson } from './json-body.ts';
import { readBytes } from './read-body.ts';

/** Forwards a request to the core, and returns its response. */
export type ProxyToCore = (c: EdgeContext, kind?: ProxiedKind) => Promise<Response>;

export type ProxiedKind = Pick<CoreRequest, 'createsNew' | 'isSlow'>;

const passedHeaders = ['content-type', 'content-disposition'];

export function createProxyToCore({ callCore }: { callCore: CoreCall }): ProxyToCore {
  return async function proxyToCore(c, kind = {}) {
    const { method } = c.req;
    if (!isProxied(method)) throw new AppError('method_not_allowed');
    const { pathname, search } = new URL(c.req.url);
    const body = method === 'POST' || method === 'PATCH' ? await readBody(c) : {};
    const response = await callCore(c.get('request'), {
      method,
      path: pathname + search,
      ...body,
      accept: c.req.header('accept'),
      signal: c.req.raw.signal,
      createsNew: kind.createsNew,
      isSlow: kind.isSlow,
    });
    const headers = new Headers({ 'cache-control': 'no-store' });
    for (const name of passedHeaders) {
      const value = response.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    return new Response(response.body, { status: response.status, headers });
  };
}

function isProxied(method: string): method is CoreRequest['method'] {
  return ['GET', 'POST', 'PATCH', 'DELETE'].includes(method);
}

async function readBody(
  c: EdgeContext,
): Promise<{ body: string | Uint8Array<ArrayBuffer>; contentType: string }> {
  const contentType = c.req.header('content-type') ?? '';
  if (/^multipart\/form-data\s*;/i.test(contentType))
    return { body: await readBytes(c, c.get('bodyLimits').maxUploadBytes), contentType };
  return { body: JSON.stringify(await readJson(c, {})), contentType: 'application/json' };
}
