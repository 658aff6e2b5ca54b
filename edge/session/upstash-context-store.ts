/**
 * The conversation in Upstash Redis: one list of JSON messages and one string for the system prompt, both
 * under keys that hold tenant, user and session. Each operation is one command, and so one round trip.
 */
import { AppError } from '../../shared/errors.ts';
import { connectRedis, type RedisAddress } from '../redis.ts';
import {
  type ContextStore,
  type ConversationKey,
  redactMessage,
  type StoredMessage,
} from './context-store.ts';

export interface UpstashContextStoreOptions {
  url: string;
  token: string;
  /** How long a conversation is kept after its last append. */
  ttlMs: number;
}

const TAIL = `
local version = redis.call('LLEN', KEYS[1])
local last = math.min(version, tonumber(ARGV[2])) - 1
local first = math.max(last - tonumber(ARGV[1]) + 1, 0)
local messages = {}
if last >= first then messages = redis.call('LRANGE', KEYS[1], first, last) end
return {version, redis.call('GET', KEYS[2]) or '[]', messages}`;

const APPEND = `
local expected = tonumber(ARGV[1])
if redis.call('LLEN', KEYS[1]) ~= expected then
  if #ARGV > 3 and redis.call('LINDEX', KEYS[1], expected) == ARGV[4] then return expected + #ARGV - 3 end
  return -1
end
if ARGV[3] ~= '' then redis.call('SET', KEYS[2], ARGV[3]) end
for i = 4, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return redis.call('LLEN', KEYS[1])`;

/** Resolves when Redis answers. @throws Error otherwise */
export function createRedisPing(address: RedisAddress): () => Promise<void> {
  const redis = connectRedis(address);
  return async () => void (await redis.ping());
}

/** Where an element is still what it was. The list only grows, so that it is, unless it is gone. */
const REPLACE = `
for i = 1, #ARGV, 3 do
  if redis.call('LINDEX', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('LSET', KEYS[1], ARGV[i], ARGV[i + 2]) end
end
return 1`;

export function createUpstashContextStore(options: UpstashContextStoreOptions): ContextStore {
  // Messages are JSON already.
  const redis = connectRedis(options);
  const ttl = String(options.ttlMs);

  async function reach<T>(command: Promise<T>): Promise<T> {
    try {
      return await command;
    } catch (cause) {
      throw new AppError('store_unavailable', { cause });
    }
  }

  return {
    async tail(key, limit, before = Number.MAX_SAFE_INTEGER) {
      const [version, system, messages] = await reach(
        redis.eval<string[], [number, string, string[]]>(TAIL, keysOf(key), [String(limit), String(before)]),
      );
      return {
        version: Number(version),
        system: JSON.parse(system),
        messages: messages.map((body): StoredMessage => JSON.parse(body)),
      };
    },

    async append(key, { expectedVersion, messages, system }) {
      const args = [
        String(expectedVersion),
        ttl,
        system ? JSON.stringify(system) : '',
        ...messages.map((message) => JSON.stringify(message)),
      ];
      const version = Number(await reach(redis.eval<string[], number>(APPEND, keysOf(key), args)));
      if (version < 0) throw new AppError('session_conflict');
      return version;
    },

    async redact(key, turnId, replace) {
      const [messages] = keysOf(key);
      const bodies = await reach(redis.lrange<string>(messages, 0, -1));
      const args = bodies.flatMap((body, index) => {
        const stored: StoredMessage = JSON.parse(body);
        if (stored.turnId !== turnId) return [];
        return [String(index), body, JSON.stringify(redactMessage(stored, replace))];
      });
      if (args.length === 0) return false;
      await reach(redis.eval<string[], number>(REPLACE, [messages], args));
      return true;
    },

    async remove(key) {
      return (await reach(redis.del(...keysOf(key)))) > 0;
    },
  };
}

/** The braces keep both keys on one node of a Redis cluster. Encoding keeps the parts apart. */
function keysOf({ tenant, user, sessionId }: ConversationKey): [string, string] {
  const name = `edgewise:{${[tenant, user, sessionId].map(encodeURIComponent).join(':')}}`;
  return [`${name}:messages`, `${name}:system`];
}
