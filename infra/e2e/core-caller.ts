/** Calls of a system's core, signed as its edge signs them. */
import { type CoreCall, createCoreCall } from '../../edge/core-client/core-call.ts';
import { createCoreRegions } from '../../edge/core-client/core-regions.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import { importServiceKey } from '../../shared/protocol/service-token.ts';
import { localSecrets } from '../local/secrets.ts';
import type { System } from './system.ts';

export interface CoreCaller {
  call: CoreCall;
  contextOf(of?: Partial<RequestContext>): RequestContext;
}

export async function coreCallerOf(system: Pick<System, 'coreAddress' | 'dataDir'>): Promise<CoreCaller> {
  const { serviceSecret } = await localSecrets(system.dataDir);
  return {
    call: createCoreCall({
      regions: createCoreRegions({
        urls: [system.coreAddress],
        fetch,
        now: Date.now,
        defer: () => undefined,
      }),
      serviceKey: importServiceKey(serviceSecret),
      now: Date.now,
    }),
    contextOf: (of = {}) => ({
      requestId: crypto.randomUUID(),
      tenant: 'default',
      user: 'alice',
      plan: 'p',
      scopes: [],
      deadlineMs: Date.now() + 60_000,
      ...of,
    }),
  };
}
