/** The edge's way to the core: one set of regions, a signed call, and the client of its models. */
import { type CoreCall, createCoreCall } from './core-call.ts';
import { type CoreClient, createCoreClient } from './core-client.ts';
import { type CoreRegionsOptions, createCoreRegions } from './core-regions.ts';

export interface CoreAccessOptions extends CoreRegionsOptions {
  serviceKey: Uint8Array;
  wait: (ms: number) => Promise<void>;
}

export function createCoreAccess(options: CoreAccessOptions): { callCore: CoreCall; core: CoreClient } {
  const { serviceKey, now, wait } = options;
  const call = { regions: createCoreRegions(options), serviceKey, now };
  return { callCore: createCoreCall(call), core: createCoreClient({ ...call, wait }) };
}
