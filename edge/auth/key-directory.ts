/**
 * API keys as the edge knows them: asked of the core, and remembered for {@link KNOWN_MS}, within which a revocation
 * reaches every edge. Owns the copies, per isolate; the key itself is never kept, only its hash.
 */
import { AppError } from '../../shared/errors.ts';
import { createLruCache } from '../../shared/lru-cache.ts';
import type { ApiKey, KeyName } from '../../shared/protocol/key-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { CoreCall } from '../core-client/core-call.ts';

export interface KeyDirectory {
  /** The key with that text, if it may be used. @throws AppError `core_unavailable`, `database_unavailable` */
  find(requestId: string, key: string): Promise<ApiKey | undefined>;
  findById(requestId: string, id: string): Promise<ApiKey | undefined>;
  /** Whether the key behind a caller may still be used, as far as the core can be asked; true without a key. Never rejects. */
  mayStay(context: Pick<RequestContext, 'requestId' | 'keyId'>): Promise<boolean>;
  /** Forgets a key that was just revoked here. */
  forget(id: string): void;
}

const KNOWN_MS = 60_000;
/** A key that is none is asked for again sooner: it may have been made a moment ago. */
const UNKNOWN_MS = 5000;
const MAX_KEYS = 5000;
const CALL_MS = 10_000;

/** @param now Unix time in milliseconds */
export function createKeyDirectory(call: CoreCall, now: () => number): KeyDirectory {
  const known = createLruCache<{ key: ApiKey | undefined }>({ maxEntries: MAX_KEYS, now });

  async function ask(requestId: string, name: string, which: KeyName): Promise<ApiKey | undefined> {
    const copy = known.get(name);
    if (copy) return usable(copy.key);
    // Whose key it is the answer tells, so the call is the edge's own.
    const context: RequestContext = {
      requestId,
      tenant: 'edgewise',
      user: 'edge',
      plan: 'edge',
      scopes: [],
      deadlineMs: now() + CALL_MS,
    };
    let key: ApiKey | undefined;
    try {
      const request = { method: 'POST', path: '/v1/keys/use', body: JSON.stringify(which) } as const;
      const response = await call(context, { ...request, signal: AbortSignal.timeout(CALL_MS) });
      key = await response.json();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'key_not_found') throw error;
    }
    known.set(name, { key }, key ? KNOWN_MS : UNKNOWN_MS);
    return usable(key);
  }

  function usable(key: ApiKey | undefined): ApiKey | undefined {
    return key && (key.expiresAtMs === null || key.expiresAtMs > now()) ? key : undefined;
  }

  return {
    async find(requestId, key) {
      const hash = await sha256(key);
      return ask(requestId, `hash:${hash}`, { hash });
    },
    findById: (requestId, id) => ask(requestId, `id:${id}`, { id }),
    async mayStay({ requestId, keyId }) {
      if (keyId === undefined) return true;
      // A core that cannot be asked puts nobody out.
      const key = await ask(requestId, `id:${keyId}`, { id: keyId }).catch(() => 'unknown' as const);
      return key !== undefined;
    },
    forget(id) {
      for (const name of known.keys()) if (known.get(name)?.key?.id === id) known.delete(name);
    },
  };
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
