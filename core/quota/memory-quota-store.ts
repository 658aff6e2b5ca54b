/** Quotas of one core instance alone. Owns the counts; a restart forgets them. */
import {
  type QuotaCall,
  type QuotaScope,
  type QuotaStore,
  requestsPerSlice,
  SLICE_MS,
  SLICES_KEPT,
  TURN_WAIT_MS,
} from './quota-store.ts';

interface ScopeCounts {
  /** By slice number. */
  requests: Map<number, number>;
  tokens: Map<number, number>;
  /** When each running turn is given up, by its id. */
  turns: Map<string, number>;
  blockedUntilMs: number;
}

export interface MemoryQuotaStoreOptions {
  now: () => number;
  sliceMs?: number;
}

// long: the methods of one store share its counts
export function createMemoryQuotaStore({ now, sliceMs = SLICE_MS }: MemoryQuotaStoreOptions): QuotaStore {
  const scopes = new Map<string, ScopeCounts>();

  function countsOf(name: string): ScopeCounts {
    let counts = scopes.get(name);
    if (!counts) {
      counts = { requests: new Map(), tokens: new Map(), turns: new Map(), blockedUntilMs: 0 };
      scopes.set(name, counts);
    }
    return counts;
  }

  function leak(counts: ScopeCounts, nowMs: number): void {
    const oldest = Math.floor(nowMs / sliceMs) - SLICES_KEPT;
    for (const taken of [counts.requests, counts.tokens]) {
      for (const slice of taken.keys()) {
        if (slice > oldest) break;
        taken.delete(slice);
      }
    }
    for (const [id, untilMs] of counts.turns) if (untilMs <= nowMs) counts.turns.delete(id);
  }

  /** Until enough has leaked out for `amount`, in milliseconds; 0: there is room. */
  function waitForRoom(taken: Map<number, number>, amount: number, limit: number, nowMs: number): number {
    let sum = 0;
    for (const count of taken.values()) sum += count;
    if (sum + amount <= limit) return 0;
    for (const [slice, count] of taken) {
      sum -= count;
      if (sum + amount <= limit) return (slice + SLICES_KEPT) * sliceMs - nowMs;
    }
    return sliceMs;
  }

  function waitFor({ name, limits }: QuotaScope, tokens: number, nowMs: number): number {
    const counts = countsOf(name);
    leak(counts, nowMs);
    const waits = [counts.blockedUntilMs - nowMs];
    const { requestsPerMinute, tokensPerMinute, turnsAtOnce } = limits;
    if (requestsPerMinute !== undefined) {
      waits.push(waitForRoom(counts.requests, 1, requestsPerMinute, nowMs));
      const slice = Math.floor(nowMs / sliceMs);
      if ((counts.requests.get(slice) ?? 0) >= requestsPerSlice(requestsPerMinute))
        waits.push((slice + 1) * sliceMs - nowMs);
    }
    if (tokensPerMinute !== undefined)
      waits.push(waitForRoom(counts.tokens, Math.min(tokens, tokensPerMinute), tokensPerMinute, nowMs));
    if (turnsAtOnce !== undefined && counts.turns.size >= turnsAtOnce) waits.push(TURN_WAIT_MS);
    return Math.max(0, ...waits);
  }

  return {
    async take({ id, scopes: wanted, tokens, holdMs }) {
      const nowMs = now();
      const waitMs = Math.max(0, ...wanted.map((scope) => waitFor(scope, tokens, nowMs)));
      if (waitMs > 0) return { granted: false, waitMs };
      const slice = Math.floor(nowMs / sliceMs);
      for (const scope of wanted) {
        const counts = countsOf(scope.name);
        add(counts.requests, slice, 1);
        add(counts.tokens, slice, chargeOf(scope, tokens));
        counts.turns.set(id, nowMs + holdMs);
      }
      return { granted: true, atMs: nowMs };
    },

    async settle({ id, scopes: taken, tokens }: QuotaCall, atMs, used) {
      const slice = Math.floor(atMs / sliceMs);
      for (const scope of taken) {
        const counts = countsOf(scope.name);
        // Settled before, or given up.
        if (!counts.turns.delete(id)) continue;
        if (counts.tokens.has(slice)) add(counts.tokens, slice, used - chargeOf(scope, tokens));
      }
    },

    async block(blocked, forMs) {
      for (const { name } of blocked) {
        const counts = countsOf(name);
        counts.blockedUntilMs = Math.max(counts.blockedUntilMs, now() + forMs);
      }
    },
  };
}

function chargeOf({ limits: { tokensPerMinute } }: QuotaScope, tokens: number): number {
  return Math.min(tokens, tokensPerMinute ?? tokens);
}

function add(taken: Map<number, number>, slice: number, amount: number): void {
  taken.set(slice, (taken.get(slice) ?? 0) + amount);
}
