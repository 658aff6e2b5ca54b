/**
 * Quotas that all core instances share. Each step is one script, and so atomic and one round trip; the time is Redis's
 * own, so that the clocks of the instances do not matter. Owns nothing here: all counts are in Redis.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { AppError } from '../../shared/errors.ts';
import {
  type QuotaScope,
  type QuotaStore,
  requestsPerSlice,
  SLICE_MS,
  SLICES_KEPT,
  TURN_WAIT_MS,
} from './quota-store.ts';

/** The braces keep all scopes on one node of a cluster, since one call may need several. */
const PREFIX = 'edgewise:{quota}';

/**
 * For each scope two keys: a hash with `r` and `t` counts by slice and `blocked`, and a sorted set of running turns.
 * ARGV[1] is the length of a slice, ARGV[2] how many are kept.
 */
const PRELUDE = `
local sliceMs, kept = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slice = math.floor(now / sliceMs)
local keepMs = kept * sliceMs + 1000
`;

/** ARGV: id, tokens, hold, wait for a turn, then for each scope: requests a minute, a slice, tokens a minute, turns; '' for none. */
const TAKE = `${PRELUDE}
local id, tokens = ARGV[3], tonumber(ARGV[4])
local wait = 0
local function waitForRoom(taken, amount, limit)
  local sum = 0
  for _, entry in ipairs(taken) do sum = sum + entry[2] end
  if sum + amount <= limit then return end
  table.sort(taken, function(a, b) return a[1] < b[1] end)
  for _, entry in ipairs(taken) do
    sum = sum - entry[2]
    if sum + amount <= limit then wait = math.max(wait, (entry[1] + kept) * sliceMs - now) return end
  end
  wait = math.max(wait, sliceMs)
end
for i = 0, #KEYS / 2 - 1 do
  local counts, turns = KEYS[2 * i + 1], KEYS[2 * i + 2]
  local perMinute, perSlice = ARGV[7 + 4 * i], ARGV[8 + 4 * i]
  local tokensPerMinute, atOnce = ARGV[9 + 4 * i], ARGV[10 + 4 * i]
  local requests, used, blocked = {}, {}, 0
  local fields = redis.call('HGETALL', counts)
  for at = 1, #fields, 2 do
    local name, count = fields[at], tonumber(fields[at + 1])
    if name == 'blocked' then blocked = count
    else
      local number = tonumber(string.sub(name, 2))
      if number <= slice - kept then redis.call('HDEL', counts, name)
      else table.insert(string.sub(name, 1, 1) == 'r' and requests or used, {number, count}) end
    end
  end
  wait = math.max(wait, blocked - now)
  if perMinute ~= '' then
    waitForRoom(requests, 1, tonumber(perMinute))
    for _, entry in ipairs(requests) do
      if entry[1] == slice and entry[2] >= tonumber(perSlice) then wait = math.max(wait, (slice + 1) * sliceMs - now) end
    end
  end
  if tokensPerMinute ~= '' then
    waitForRoom(used, math.min(tokens, tonumber(tokensPerMinute)), tonumber(tokensPerMinute))
  end
  redis.call('ZREMRANGEBYSCORE', turns, '-inf', now)
  if atOnce ~= '' and redis.call('ZCARD', turns) >= tonumber(atOnce) then wait = math.max(wait, tonumber(ARGV[6])) end
end
if wait > 0 then return {0, wait} end
for i = 0, #KEYS / 2 - 1 do
  local counts, turns = KEYS[2 * i + 1], KEYS[2 * i + 2]
  local tokensPerMinute = tonumber(ARGV[9 + 4 * i])
  redis.call('HINCRBY', counts, 'r' .. slice, 1)
  redis.call('HINCRBY', counts, 't' .. slice, tokensPerMinute and math.min(tokens, tokensPerMinute) or tokens)
  redis.call('PEXPIRE', counts, keepMs)
  redis.call('ZADD', turns, now + tonumber(ARGV[5]), id)
  redis.call('PEXPIRE', turns, tonumber(ARGV[5]) + keepMs)
end
return {1, now}`;

/** ARGV: id, when it was taken, tokens used, then for each scope what it was charged. */
const SETTLE = `${PRELUDE}
local field = 't' .. math.floor(tonumber(ARGV[4]) / sliceMs)
for i = 0, #KEYS / 2 - 1 do
  local counts, turns = KEYS[2 * i + 1], KEYS[2 * i + 2]
  if redis.call('ZREM', turns, ARGV[3]) == 1 and redis.call('HEXISTS', counts, field) == 1 then
    redis.call('HINCRBY', counts, field, tonumber(ARGV[5]) - tonumber(ARGV[6 + i]))
  end
end`;

/** ARGV: for how long. */
const BLOCK = `${PRELUDE}
for i = 0, #KEYS / 2 - 1 do
  local counts = KEYS[2 * i + 1]
  local blocked = tonumber(redis.call('HGET', counts, 'blocked') or '0')
  redis.call('HSET', counts, 'blocked', math.max(blocked, now + tonumber(ARGV[3])))
  redis.call('PEXPIRE', counts, math.max(keepMs, tonumber(ARGV[3])))
end`;

const hashes = new Map(
  [TAKE, SETTLE, BLOCK].map((text) => [text, createHash('sha1').update(text).digest('hex')]),
);

export interface RedisQuotaStoreOptions {
  /** Stays the caller's to close. */
  redis: Redis;
  sliceMs?: number;
}

/** The methods reject with an AppError `core_unavailable` when Redis cannot be reached. */
export function createRedisQuotaStore({ redis, sliceMs = SLICE_MS }: RedisQuotaStoreOptions): QuotaStore {
  async function run(
    text: string,
    scopes: readonly QuotaScope[],
    args: (string | number)[],
  ): Promise<unknown> {
    const keys = scopes.flatMap(({ name }) => [`${PREFIX}:${name}`, `${PREFIX}:${name}:turns`]);
    const all = [...keys, sliceMs, SLICES_KEPT, ...args];
    try {
      return await redis.evalsha(hashes.get(text) as string, keys.length, ...all);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('NOSCRIPT'))
        return redis.eval(text, keys.length, ...all);
      throw new AppError('core_unavailable', { cause: error });
    }
  }

  return {
    async take({ id, scopes, tokens, holdMs }) {
      const limits = scopes.flatMap(({ limits: { requestsPerMinute, tokensPerMinute, turnsAtOnce } }) => [
        requestsPerMinute ?? '',
        requestsPerMinute === undefined ? '' : requestsPerSlice(requestsPerMinute),
        tokensPerMinute ?? '',
        turnsAtOnce ?? '',
      ]);
      const args = [id, tokens, holdMs, TURN_WAIT_MS, ...limits];
      const [isGranted, number] = (await run(TAKE, scopes, args)) as [number, number];
      return isGranted === 1 ? { granted: true, atMs: number } : { granted: false, waitMs: number };
    },

    async settle({ id, scopes, tokens }, atMs, used) {
      const charged = scopes.map(({ limits }) => Math.min(tokens, limits.tokensPerMinute ?? tokens));
      await run(SETTLE, scopes, [id, atMs, used, ...charged]);
    },

    async block(scopes, forMs) {
      await run(BLOCK, scopes, [Math.ceil(forMs)]);
    },
  };
}
