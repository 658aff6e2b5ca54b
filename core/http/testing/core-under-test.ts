/** The core's routes behind their guard, in this process: every call is signed as the edge signs it. */
import { Hono } from 'hono';
import type { RequestContext } from '../../../shared/protocol/request-context.ts';
import { importServiceKey, signServiceToken } from '../../../shared/protocol/service-token.ts';
import { someContext } from '../../../shared/testing/request-context.ts';
import { parseCoreEnv } from '../../env.ts';
import type { CoreServices } from '../../services.ts';
import type { CoreHono } from '../core-hono.ts';
import { onError, onNotFound } from '../on-error.ts';
import { serviceAuth } from '../service-auth.ts';

/** Only what the route under test uses; a part that is missing throws when it is used. */
export type CoreParts = { [Name in keyof CoreServices]?: Partial<CoreServices[Name]> };

export interface CoreUnderTest {
  /** A call as the edge makes it. A string or a form is sent as it is, anything else as JSON. */
  call(method: string, path: string, options?: CallOptions): Promise<Response>;
  /** A call that is not signed. */
  request(path: string, init?: RequestInit): Promise<Response>;
}

export interface CallOptions {
  body?: unknown;
  /** Who asks: user `u` of tenant `t` without scopes, unless this says otherwise. */
  as?: Partial<RequestContext>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** The time at which every call is signed and checked. */
export const nowMs: number = Date.UTC(2026, 10, 21, 12);
export const SERVICE_SECRET = 'a service secret of thirty-two bytes';
const serviceKey = importServiceKey(SERVICE_SECRET);

/** @param addRoutes Only the routes under test, since the whole map loads every library of the core. */
export function coreUnderTest(
  { config, ...parts }: CoreParts,
  addRoutes: (app: Hono<CoreHono>, services: CoreServices) => void,
): CoreUnderTest {
  const services = withMissingParts({
    now: () => nowMs,
    ...parts,
    config: { ...parseCoreEnv({ EDGEWISE_SERVICE_SECRET: SERVICE_SECRET }), ...config },
  });
  const app = new Hono<CoreHono>();
  app.use('/v1/*', serviceAuth(services));
  addRoutes(app, services);
  app.onError(onError);
  app.notFound(onNotFound);
  return {
    async call(method, path, { body, as = {}, headers = {}, signal } = {}) {
      const { bytes, type } = await encodeBody(body);
      const call = { method, path, body: bytes };
      const token = await signServiceToken(serviceKey, someContext(as), call, nowMs);
      return app.request(path, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(type && { 'content-type': type }), ...headers },
        ...(bytes.length > 0 && { body: bytes }),
        ...(signal && { signal }),
      });
    },
    request: async (path, init) => app.request(path, init),
  };
}

function withMissingParts(services: object): CoreServices {
  return new Proxy(services, {
    get: (target, name) => Reflect.get(target, name) ?? missingPart(String(name)),
  }) as CoreServices;
}

function missingPart(name: string): object {
  const fail = () => {
    throw new Error(`the test gives no '${name}'`);
  };
  return new Proxy(fail, { get: fail, apply: fail });
}

/** The exact bytes, since the signature covers them. */
async function encodeBody(body: unknown): Promise<{ bytes: Uint8Array<ArrayBuffer>; type: string | null }> {
  if (body === undefined) return { bytes: new Uint8Array(), type: null };
  const isForm = body instanceof FormData;
  const response = new Response(isForm || typeof body === 'string' ? body : JSON.stringify(body));
  return {
    bytes: new Uint8Array(await response.arrayBuffer()),
    type: isForm ? response.headers.get('content-type') : 'application/json',
  };
}
