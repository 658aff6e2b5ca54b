/** The edge's side of `shared/protocol/archive-protocol.ts`. Every call may be made again. */

import { AppError } from '../../shared/errors.ts';
import type {
  ArchiveAnswer,
  ArchivedSession,
  ArchiveRequest,
} from '../../shared/protocol/archive-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { CoreCall } from './core-call.ts';

export interface Owner {
  tenant: string;
  user: string;
}

export interface ArchiveClient {
  /** @throws AppError */
  keep(owner: Owner, request: ArchiveRequest): Promise<ArchiveAnswer>;
  /** @returns nothing when there is no such session @throws AppError */
  session(owner: Owner, id: string): Promise<ArchivedSession | undefined>;
  /** @throws AppError */
  removeSession(owner: Owner, id: string): Promise<void>;
  /** @throws AppError */
  removeTurn(owner: Owner, id: string, turnId: string): Promise<void>;
}

/** The calls are made for nobody who waits, so each has its own time. */
const CALL_MS = 20_000;

export function createArchiveClient(call: CoreCall, now: () => number, newId: () => string): ArchiveClient {
  const contextOf = ({ tenant, user }: Owner): RequestContext => ({
    requestId: newId(),
    tenant,
    user,
    plan: '',
    scopes: [],
    deadlineMs: now() + CALL_MS,
  });
  const signal = () => AbortSignal.timeout(CALL_MS);
  const path = (id: string) => `/v1/archive/sessions/${encodeURIComponent(id)}`;
  return {
    async keep(owner, turns) {
      const body = JSON.stringify(turns);
      const request = { method: 'POST', path: '/v1/archive/turns', body, signal: signal() } as const;
      return (await call(contextOf(owner), request)).json();
    },
    async session(owner, id) {
      try {
        return await (
          await call(contextOf(owner), { method: 'GET', path: path(id), signal: signal() })
        ).json();
      } catch (error) {
        if (error instanceof AppError && error.code === 'session_not_found') return undefined;
        throw error;
      }
    },
    async removeTurn(owner, id, turnId) {
      const request = { method: 'DELETE', path: `${path(id)}/turns/${turnId}`, signal: signal() } as const;
      await (await call(contextOf(owner), request)).body?.cancel();
    },
    async removeSession(owner, id) {
      const request = { method: 'DELETE', path: path(id), signal: signal() } as const;
      await (await call(contextOf(owner), request)).body?.cancel();
    },
  };
}
