/** The caller's limits around whatever is asked of models, as the configuration wants them. */
import type { ChatModel } from '../../shared/model/chat-model.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { EdgeBindings } from '../bindings.ts';
import type { Measurements } from '../observe/measurements.ts';
import { createLeasedLimits } from './leased-limits.ts';
import { type LimitedCall, limitCall, unlimitedCall } from './limit-call.ts';
import { settleLater } from './limits.ts';
import { createMeasuredLimits } from './measured-limits.ts';
import { createMeterLimits } from './meter-object.ts';
import { GUEST_PLAN, type Plans, subjectsOf } from './plans.ts';
import { createUpstashLimits } from './upstash-limits.ts';
import { type Price, toLimitError, withLimits } from './with-limits.ts';

export interface ModelCall {
  context: RequestContext;
  turnId: string;
  /** The name of the model that is asked. */
  model: string;
  /** The call was reserved before a restart. */
  isReserved: boolean;
}

export interface Limiter {
  /** Reserves before the model is asked, settles after it. */
  layer(model: ChatModel, call: ModelCall): ChatModel;
  /** @throws AppError as `limitCall` */
  call(context: RequestContext, call: { model: string; tokens: number }): Promise<LimitedCall>;
  /**
   * Counts a new guest against the address that it comes from.
   * @param address As a hash; `undefined` where no proxy in front of the edge reports it
   * @throws AppError `rate_limit_exceeded`, `limits_unavailable`
   */
  admitGuest(tenant: string, address: string | undefined): Promise<void>;
}

export interface LimiterOptions {
  /** Without plans nobody is limited. */
  plans: Plans | undefined;
  redis: { url: string; token: string } | undefined;
  bindings: Pick<EdgeBindings, 'METER'>;
  /** @returns nothing where the model or its price is not known */
  priceOf: (context: RequestContext, model: string) => Promise<Price | undefined>;
  measurements: Measurements;
  /** How long a turn may take, in milliseconds. */
  turnTimeoutMs: number;
  defer: (work: Promise<unknown>) => void;
  now: () => number;
  newId: () => string;
}

/** New guests a minute: from one address, and from all together where addresses are not known. */
const GUESTS_PER_ADDRESS = 10;
const GUESTS_WITHOUT_ADDRESS = 120;

export function createLimiter(options: LimiterOptions): Limiter {
  const { plans, redis, bindings, priceOf, measurements, turnTimeoutMs, defer, now, newId } = options;
  if (!plans)
    return { layer: (model) => model, call: async () => unlimitedCall, admitGuest: async () => undefined };
  const store = redis ? createUpstashLimits(redis) : createMeterLimits(bindings, now);
  const measured = createMeasuredLimits(
    createLeasedLimits({ limits: store, defer, now, newId }),
    measurements,
  );
  const limitsOf = (context: RequestContext, id: string, model: string) => ({
    limits: measured(context.plan),
    id,
    tenant: context.tenant,
    subjects: subjectsOf(plans, context),
    price: async () => (await priceOf(context, model).catch(() => undefined)) ?? { input: 0, output: 0 },
    holdMs: turnTimeoutMs,
    defer,
  });
  return {
    layer: (model, { context, turnId, model: name, isReserved }) =>
      withLimits(model, { ...limitsOf(context, turnId, name), isReserved }),
    call: (context, { model, tokens }) => limitCall(tokens, limitsOf(context, newId(), model)),
    async admitGuest(tenant, address) {
      const limits = measured(GUEST_PLAN);
      const id = newId();
      const requestsPerMinute = address === undefined ? GUESTS_WITHOUT_ADDRESS : GUESTS_PER_ADDRESS;
      const decision = await limits.reserve({
        ...{ id, tenant, requests: 1, tokens: 0, micros: 0, holdMs: turnTimeoutMs },
        subjects: [{ name: `address:${address ?? 'unknown'}`, limits: { requestsPerMinute } }],
      });
      if (!decision.granted) throw toLimitError(decision);
      settleLater({ limits, defer }, { id, tenant, tokens: 0, micros: 0 });
    },
  };
}
