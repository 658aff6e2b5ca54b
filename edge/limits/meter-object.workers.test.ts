import { env } from 'cloudflare:workers';
import type { EdgeBindings } from '../bindings.ts';
import { describeLimits } from './limits.contract.ts';
import { createMeterLimits } from './meter-object.ts';

describeLimits('limits in a Durable Object', (now) => createMeterLimits(env as unknown as EdgeBindings, now));
