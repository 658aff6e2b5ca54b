import type { RequestContext } from '../protocol/request-context.ts';

/** Somebody who asks, for tests in which it does not matter who; there is time. */
export function someContext(more: Partial<RequestContext> = {}): RequestContext {
  return {
    requestId: 'r',
    tenant: 't',
    user: 'u',
    plan: 'free',
    scopes: [],
    deadlineMs: Number.MAX_SAFE_INTEGER,
    ...more,
  };
}
