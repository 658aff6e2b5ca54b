/**
 * Limits in Upstash Redis. Requests and tokens a minute are token buckets of `@upstash/ratelimit`; turns at once and
 * spend are a script of our own, which takes one reservation for all subjects or for none. What was taken is given
 * back when a later limit refuses.
 */
import { Ratelimit } from '@upstash/ratelimit';
import type { Redis } from '@upstash/redis/cloudflare';
import { AppError } from '../../shared/errors.ts';
import type { LimitState } from '../../shared/limit-mark.ts';
import { connectRedis } from '../redis.ts';
import type { Decision, Limits, Reservation, Settlement, Subject } from './limits.ts';

export interface UpstashLimitsOptions {
  url: string;
  token: string;
}

/** What is settled later than this is no longer put right. */
const KEPT_MS = 3_600_000;
const MONTH_MS = 32 * 86_400_000;

/**
 * KEYS: the reservation, then for each subject its running turns, its day and its month.
 * ARGV: now, hold, kept, id, micros, body, then for each subject its turns, day and month limits; '' for none.
 * Returns 0 when taken, -1 when it was taken before, else the number of the limit that refuses and what is used of it.
 */
const RESERVE = `
if redis.call('EXISTS', KEYS[1]) == 1 then return {-1, 0} end
local now, micros = tonumber(ARGV[1]), tonumber(ARGV[5])
local subjects = (#KEYS - 1) / 3
for i = 0, subjects - 1 do
  local turns, day, month = ARGV[7 + 3 * i], ARGV[8 + 3 * i], ARGV[9 + 3 * i]
  local spentDay = tonumber(redis.call('GET', KEYS[3 + 3 * i]) or '0')
  local spentMonth = tonumber(redis.call('GET', KEYS[4 + 3 * i]) or '0')
  if month ~= '' and spentMonth + micros > tonumber(month) then return {3 * i + 3, spentMonth} end
  if day ~= '' and spentDay + micros > tonumber(day) then return {3 * i + 2, spentDay} end
  redis.call('ZREMRANGEBYSCORE', KEYS[2 + 3 * i], '-inf', now)
  if turns ~= '' and redis.call('ZCARD', KEYS[2 + 3 * i]) >= tonumber(turns) then return {3 * i + 1, 0} end
end
for i = 0, subjects - 1 do
  redis.call('ZADD', KEYS[2 + 3 * i], now + tonumber(ARGV[2]), ARGV[4])
  redis.call('PEXPIRE', KEYS[2 + 3 * i], ARGV[3])
  redis.call('INCRBY', KEYS[3 + 3 * i], micros)
  redis.call('INCRBY', KEYS[4 + 3 * i], micros)
  redis.call('PEXPIRE', KEYS[3 + 3 * i], ${MONTH_MS})
  redis.call('PEXPIRE', KEYS[4 + 3 * i], ${MONTH_MS})
end
redis.call('SET', KEYS[1], ARGV[6], 'PX', ARGV[3])
return {0, 0}`;

/** KEYS as above. ARGV: id, micros, '1' to forget the reservation. Returns its body, or false when it is settled or not known. */
const SETTLE = `
local body = redis.call('GET', KEYS[1])
if not body or body == 'settled' then return false end
local change = tonumber(ARGV[2]) - cjson.decode(body).micros
for i = 0, (#KEYS - 1) / 3 - 1 do
  redis.call('ZREM', KEYS[2 + 3 * i], ARGV[1])
  redis.call('INCRBY', KEYS[3 + 3 * i], change)
  redis.call('INCRBY', KEYS[4 + 3 * i], change)
end
if ARGV[3] == '1' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], 'settled', 'KEEPTTL') end
return body`;

interface ReservationBody {
  subjects: Subject[];
  tokens: number;
  micros: number;
  /** The periods that were spent in. */
  day: string;
  month: string;
}

type BucketKind = 'requests' | 'tokens';

/** One step of what was taken, to be given back. */
interface Taken {
  kind: BucketKind;
  subject: Subject;
  amount: number;
}

// long: the methods of one store share its scripts; each is short
export function createUpstashLimits({ url, token }: UpstashLimitsOptions): Limits {
  const redis = connectRedis({ url, token });
  // The library expects numbers, and Redis's REST interface returns numbers.
  const counting = connectRedis({ url, token }, { decodes: true });
  const buckets = new Map<string, Ratelimit>();

  function bucketFor(kind: BucketKind, perMinute: number): Ratelimit {
    const name = `${kind}:${perMinute}`;
    const known = buckets.get(name);
    if (known) return known;
    const { refill, intervalMs } = paceOf(perMinute);
    const made = new Ratelimit({
      redis: counting,
      limiter: Ratelimit.tokenBucket(refill, `${intervalMs} ms`, perMinute),
      prefix: `edgewise:limit:${kind}`,
      // By itself the library lets everything through when Redis is slow.
      timeout: 0,
      ephemeralCache: false,
      analytics: false,
    });
    buckets.set(name, made);
    return made;
  }

  async function take({ kind, subject, amount }: Taken, tenant: string) {
    const perMinute = limitOf(subject, kind);
    if (perMinute === undefined || amount === 0) return undefined;
    // A charge that is larger than the bucket would wait for ever.
    const rate = Math.min(amount, perMinute);
    const taken = await bucketFor(kind, perMinute).limit(bucketName(tenant, subject.name), { rate });
    const resetMs = Math.max(0, taken.reset - Date.now());
    return { ...taken, resetMs };
  }

  async function reach<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw cause instanceof AppError ? cause : new AppError('limits_unavailable', { cause });
    }
  }

  return {
    reserve: (reservation) =>
      reach(async () => {
        const refused = await reserveSpend(redis, reservation);
        if (refused) return refused;
        const { tenant, subjects, requests, tokens } = reservation;
        const wanted = subjects.flatMap((subject): Taken[] => [
          { kind: 'requests', subject, amount: requests },
          { kind: 'tokens', subject, amount: tokens },
        ]);
        const outcomes = await Promise.all(wanted.map((step) => take(step, tenant)));
        const index = outcomes.findIndex((outcome) => outcome?.success === false);
        if (index < 0) return granted(wanted, outcomes);
        const taken = wanted.filter((_, place) => outcomes[place]?.success);
        await Promise.all(
          taken.map(({ amount, ...step }) =>
            take({ ...step, amount: -Math.min(amount, limitOf(step.subject, step.kind) ?? amount) }, tenant),
          ),
        );
        await settleSpend(redis, { ...reservation, tokens: 0, micros: 0 }, subjects, true);
        const { kind, subject } = wanted[index] as Taken;
        const outcome = outcomes[index] as NonNullable<(typeof outcomes)[number]>;
        return {
          granted: false,
          subject: subject.name,
          name: kind,
          state: { limit: outcome.limit, remaining: outcome.remaining, resetMs: outcome.resetMs },
          retryAfterMs: Math.max(1, outcome.resetMs),
        };
      }),

    settle: (settlement) =>
      reach(async () => {
        const text = await redis.get<string>(reservationKey(settlement));
        if (text === null || text === 'settled') return;
        const { subjects }: ReservationBody = JSON.parse(text);
        const body = await settleSpend(redis, settlement, subjects, false);
        if (!body) return;
        await Promise.all(
          subjects.map((subject) => {
            const reserved = Math.min(body.tokens, limitOf(subject, 'tokens') ?? body.tokens);
            return take({ kind: 'tokens', subject, amount: settlement.tokens - reserved }, settlement.tenant);
          }),
        );
      }),
  };
}

async function reserveSpend(redis: Redis, reservation: Reservation): Promise<Decision | undefined> {
  const { id, tenant, subjects, tokens, micros, holdMs } = reservation;
  const nowMs = Date.now();
  const body: ReservationBody = { subjects, tokens, micros, ...periodsOf(nowMs) };
  const limits = subjects.flatMap(({ limits: of }) =>
    [of.turnsAtOnce, of.microsPerDay, of.microsPerMonth].map((limit) =>
      limit === undefined ? '' : String(limit),
    ),
  );
  const [code, used] = await redis.eval<string[], [number, number]>(
    RESERVE,
    spendKeys({ id, tenant }, body),
    [String(nowMs), String(holdMs), String(KEPT_MS), id, String(micros), JSON.stringify(body), ...limits],
  );
  if (Number(code) === 0) return undefined;
  if (Number(code) < 0) return { granted: true };
  const place = Number(code) - 1;
  const subject = subjects[Math.floor(place / 3)] as Subject;
  const name = (['turns', 'day', 'month'] as const)[place % 3] as 'turns' | 'day' | 'month';
  const limit = Number(limits[place]);
  const resetMs = name === 'turns' ? 1000 : endOf(name, nowMs) - nowMs;
  const remaining = Math.max(0, limit - (name === 'turns' ? limit : Number(used)));
  return {
    granted: false,
    subject: subject.name,
    name,
    state: { limit, remaining, resetMs },
    retryAfterMs: resetMs,
  };
}

async function settleSpend(
  redis: Redis,
  settlement: Settlement,
  subjects: Subject[],
  forgets: boolean,
): Promise<ReservationBody | undefined> {
  const text = await redis.get<string>(reservationKey(settlement));
  if (text === null || text === 'settled') return undefined;
  const body: ReservationBody = JSON.parse(text);
  const args = [settlement.id, String(settlement.micros), forgets ? '1' : ''];
  const settled = await redis.eval<string[], string | null>(
    SETTLE,
    spendKeys(settlement, { ...body, subjects }),
    args,
  );
  return settled === null ? undefined : body;
}

function granted(
  wanted: Taken[],
  outcomes: ({ limit: number; remaining: number; resetMs: number } | undefined)[],
): Decision {
  const of = (kind: BucketKind): LimitState | undefined =>
    wanted
      .flatMap((step, index) => (step.kind === kind && outcomes[index] ? [outcomes[index]] : []))
      .map(({ limit, remaining, resetMs }) => ({ limit, remaining, resetMs }))
      .sort((one, other) => one.remaining - other.remaining)[0];
  const [requests, tokens] = [of('requests'), of('tokens')];
  return { granted: true, ...(requests && { requests }), ...(tokens && { tokens }) };
}

/** How a bucket leaks: whole pieces, no oftener than every 50 ms. */
function paceOf(perMinute: number): { refill: number; intervalMs: number } {
  const intervalMs = Math.max(50, Math.ceil(60_000 / perMinute));
  return { refill: Math.max(1, Math.floor((perMinute * intervalMs) / 60_000)), intervalMs };
}

function limitOf({ limits }: Subject, kind: BucketKind): number | undefined {
  return kind === 'requests' ? limits.requestsPerMinute : limits.tokensPerMinute;
}

/** The braces keep a tenant's keys on one node of a Redis cluster. */
function tenantKey(tenant: string): string {
  return `edgewise:spend:{${encodeURIComponent(tenant)}}`;
}

function reservationKey({ id, tenant }: { id: string; tenant: string }): string {
  return `${tenantKey(tenant)}:reservation:${encodeURIComponent(id)}`;
}

function bucketName(tenant: string, subject: string): string {
  return `${encodeURIComponent(tenant)}:${encodeURIComponent(subject)}`;
}

function spendKeys(
  named: { id: string; tenant: string },
  { subjects, day, month }: Pick<ReservationBody, 'subjects' | 'day' | 'month'>,
): string[] {
  const prefix = tenantKey(named.tenant);
  return [
    reservationKey(named),
    ...subjects.flatMap(({ name }) => {
      const subject = `${prefix}:${encodeURIComponent(name)}`;
      return [`${subject}:running`, `${subject}:${day}`, `${subject}:${month}`];
    }),
  ];
}

function periodsOf(nowMs: number): { day: string; month: string } {
  const date = new Date(nowMs).toISOString();
  return { day: date.slice(0, 10), month: date.slice(0, 7) };
}

function endOf(period: 'day' | 'month', nowMs: number): number {
  const date = new Date(nowMs);
  return period === 'day'
    ? new Date(nowMs).setUTCHours(24, 0, 0, 0)
    : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}
