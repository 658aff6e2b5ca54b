import { toAppError } from '../../shared/errors.ts';
import { CHECK_TIMEOUT_MS, type Readiness } from '../../shared/protocol/readiness.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { CoreCall } from './core-call.ts';

/** The core's checks, each as `core_<name>`, with `core` for whether it takes the edge's signature. Never throws. */
export type CoreReadiness = () => Promise<Readiness>;

export function createCoreReadiness(
  callCore: CoreCall,
  now: () => number,
  newId: () => string,
): CoreReadiness {
  return async function readCoreReadiness() {
    const context: RequestContext = {
      requestId: newId(),
      tenant: 'edgewise',
      user: 'readyz',
      plan: '',
      scopes: [],
      deadlineMs: now() + 2 * CHECK_TIMEOUT_MS,
    };
    try {
      const signal = AbortSignal.timeout(2 * CHECK_TIMEOUT_MS);
      const answer = await callCore(context, { method: 'GET', path: '/v1/readyz', signal });
      const { status, checks }: Readiness = await answer.json();
      const named = Object.entries(checks).map(([name, outcome]) => [`core_${name}`, outcome]);
      return { status, checks: { core: 'ok', ...Object.fromEntries(named) } };
    } catch (error) {
      return { status: 'not_ready', checks: { core: reasonOf(error) } };
    }
  };
}

function reasonOf(error: unknown): string {
  const { cause } = toAppError(error);
  const code = cause === undefined ? undefined : toAppError(cause).code;
  if (code === 'token_expired') return 'clocks_differ';
  return code === 'invalid_token' ? 'signature_refused' : 'unreachable';
}
