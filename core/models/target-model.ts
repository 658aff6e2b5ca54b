/**
 * A target as its callers meet it. The order of the layers between the ladder and the upstream is read here: ask again,
 * unless the breaker is open, when it is our turn, and count, bound and time the call itself.
 */
import type { ChatModel } from '../../shared/model/chat-model.ts';
import type { RejectedCount } from '../../shared/model/usage-check.ts';
import { withCountedUsage } from '../../shared/model/with-counted-usage.ts';
import { withOutputLimit } from '../../shared/model/with-output-limit.ts';
import { withTimeLimits } from '../../shared/model/with-time-limits.ts';
import { createOpenAICompatibleModel } from '../providers/openai-compatible.ts';
import type { Quota } from '../quota/quota.ts';
import type { QuotaScope } from '../quota/quota-store.ts';
import type { Caller } from './caller.ts';
import type { Target } from './target.ts';
import { loadTokenCounter } from './token-counter.ts';
import { type Breaker, type BreakerOptions, createBreaker, withBreaker } from './with-breaker.ts';
import { withQuota } from './with-quota.ts';
import { withRetry } from './with-retry.ts';

/** How targets are called, from the models file. */
export interface CallPolicy {
  maxRetries: number;
  breaker: BreakerOptions;
}

export interface TargetModel {
  readonly target: Target;
  readonly breaker: Breaker;
  /** What of the upstream's quotas a call takes from. */
  readonly scopes: readonly QuotaScope[];
  /** The model for one caller's call. @param untilMs Unix time in milliseconds until which it may wait for its turn */
  callFor(caller: Caller, untilMs: number): ChatModel;
}

export interface TargetModelOptions {
  quota: Quota;
  maxOutputTokens: number;
  /** Told of each count of tokens that an upstream cannot mean. */
  onUsageRejected: (rejected: RejectedCount) => void;
  now: () => number;
  wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  random: () => number;
  newId: () => string;
}

/** Longest pause before one more try, in milliseconds. */
const MAX_RETRY_WAIT_MS = 10_000;

export function createTargetModel(
  target: Target,
  policy: CallPolicy,
  { quota, maxOutputTokens, onUsageRejected, now, wait, random, newId }: TargetModelOptions,
): TargetModel {
  const { encoding, timeLimits, contextLength } = target;
  const timed = withTimeLimits(createOpenAICompatibleModel(target), timeLimits);
  const bounded = withOutputLimit(timed, maxOutputTokens, encoding, loadTokenCounter);
  const counted = withCountedUsage(bounded, {
    ...{ contextLength, maxOutputTokens, encoding },
    loadCounter: loadTokenCounter,
    onRejected: onUsageRejected,
  });
  const breaker = createBreaker(policy.breaker);
  const scopes = scopesOf(target);
  return {
    target,
    breaker,
    scopes,
    callFor({ tenant, priority, deadlineMs }, untilMs) {
      const holdMs = timeLimits.totalMs;
      const shaped = withQuota(counted, { quota, scopes, tenant, priority, untilMs, holdMs, newId });
      const maxWaitMs = Math.min(MAX_RETRY_WAIT_MS, Math.max(0, deadlineMs - now()));
      return withRetry(withBreaker(shaped, breaker), {
        maxRetries: policy.maxRetries,
        maxWaitMs,
        wait,
        random,
      });
    },
  };
}

function scopesOf({ name, quotas, quotaProvider }: Target): QuotaScope[] {
  const scopes: QuotaScope[] = [];
  if (quotas.provider) scopes.push({ name: `provider:${quotaProvider}`, limits: quotas.provider });
  if (quotas.model) scopes.push({ name: `model:${name}`, limits: quotas.model });
  return scopes;
}
