/**
 * The commands of the generation log, each one script and so atomic and one round trip. A generation is two keys:
 * KEYS[1], a hash (`owner`, `instance`, `outcome`, `next`, `lease`, `cancel`), and KEYS[2], a stream whose entry
 * `N-P` is piece P of event N - 1. Time is Redis's own, so that the clocks of the instances do not matter.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { AppError } from '../../shared/errors.ts';

/** Every script begins with: lease and keep in milliseconds, the terminal event of a lost generation. */
const PRELUDE = `
local leaseMs, keepMs, lostEvent = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local function keep(ms)
  redis.call('PEXPIRE', KEYS[1], ms)
  redis.call('PEXPIRE', KEYS[2], ms)
end
local function renew()
  redis.call('HSET', KEYS[1], 'lease', nowMs + leaseMs)
  keep(leaseMs + keepMs)
end
local function finish(outcome)
  redis.call('HSET', KEYS[1], 'outcome', outcome)
  keep(keepMs)
end
-- The outcome; whoever asks first after the owner's death writes the end.
local function outcomeNow()
  local known = redis.call('HMGET', KEYS[1], 'outcome', 'lease', 'next')
  if not known[1] then return 'unknown' end
  if known[1] == 'running' and tonumber(known[2]) < nowMs then
    redis.call('XADD', KEYS[2], (known[3] + 1) .. '-0', 'end', lostEvent)
    redis.call('HINCRBY', KEYS[1], 'next', 1)
    finish('finished')
    redis.call('PUBLISH', KEYS[2], '')
    return 'finished'
  end
  return known[1]
end
`;

const script = (body: string) => {
  const text = PRELUDE + body;
  return { text, sha: createHash('sha1').update(text).digest('hex') };
};

export const generationScripts = {
  /** owner, instance -> 1 when it is the owner's. Asked twice by one owner, as after a broken connection, it says the same. */
  open: script(`
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner then return owner == ARGV[4] and 1 or 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[4], 'instance', ARGV[5], 'outcome', 'running', 'next', 0)
renew()
return 1`),

  /**
   * owner, outcome after these, then (number, entry id, field, text) of each piece -> 'mine', 'cancel' when it shall
   * end, or 'lost' when it is the owner's no more. What is in already is passed over, so that it may be sent twice.
   */
  append: script(`
local known = redis.call('HMGET', KEYS[1], 'owner', 'outcome', 'next', 'cancel')
if known[1] ~= ARGV[4] then return 'lost' end
local next = tonumber(known[3])
if known[2] ~= 'running' then
  return tonumber(ARGV[#ARGV - 3]) < next and redis.call('HGET', KEYS[1], 'outcome') == ARGV[5] and 'mine' or 'lost'
end
for i = 6, #ARGV, 4 do
  local number = tonumber(ARGV[i])
  if number >= next then redis.call('XADD', KEYS[2], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) end
end
redis.call('HSET', KEYS[1], 'next', math.max(next, tonumber(ARGV[#ARGV - 3]) + 1))
renew()
if ARGV[5] ~= 'running' then finish(ARGV[5]) end
redis.call('PUBLISH', KEYS[2], '')
return known[4] and 'cancel' or 'mine'`),

  /** owner -> as 'append', with nothing to add. */
  beat: script(`
local known = redis.call('HMGET', KEYS[1], 'owner', 'outcome', 'cancel')
if known[1] ~= ARGV[4] or known[2] ~= 'running' then return 'lost' end
renew()
return known[3] and 'cancel' or 'mine'`),

  /** entry id to read after, most entries -> outcome, then entries. */
  read: script(`
local outcome = outcomeNow()
if outcome == 'unknown' then return {outcome, {}} end
return {outcome, redis.call('XRANGE', KEYS[2], '(' .. ARGV[4], '+', 'COUNT', ARGV[5])}`),

  /** -> outcome */
  state: script('return outcomeNow()'),

  /** prefix of the owners' channels, key to say there -> outcome */
  cancel: script(`
local outcome = outcomeNow()
if outcome ~= 'running' then return outcome end
redis.call('HSET', KEYS[1], 'cancel', 1)
redis.call('PUBLISH', ARGV[4] .. redis.call('HGET', KEYS[1], 'instance'), ARGV[5])
return outcome`),
};

export type GenerationScript = keyof typeof generationScripts;

/** Longer than a script ever takes; a connection that is silent for so long is as good as broken. */
const ANSWER_MS = 5000;

/**
 * Runs a script that Redis knows by its hash, and teaches it the script where it does not.
 * @throws AppError `core_unavailable`, on which the edge attaches again
 */
export async function runGenerationScript(
  redis: Redis,
  name: GenerationScript,
  keys: readonly [string, string],
  args: readonly (string | number)[],
): Promise<unknown> {
  const { sha, text } = generationScripts[name];
  const known = redis.evalsha(sha, 2, ...keys, ...args);
  return withinReach(
    known.catch((error: Error) => {
      if (!error.message.startsWith('NOSCRIPT')) throw error;
      return redis.eval(text, 2, ...keys, ...args);
    }),
  );
}

/** @throws AppError `core_unavailable` for whatever goes wrong with Redis, or when it does not answer */
export async function withinReach<T>(answer: Promise<T>): Promise<T> {
  const tooLate = Promise.withResolvers<never>();
  const timer = setTimeout(() => tooLate.reject(new Error('Redis does not answer')), ANSWER_MS);
  try {
    return await Promise.race([answer, tooLate.promise]);
  } catch (cause) {
    throw new AppError('core_unavailable', { message: 'The generation log cannot be reached.', cause });
  } finally {
    clearTimeout(timer);
  }
}
