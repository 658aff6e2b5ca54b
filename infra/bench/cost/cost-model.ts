/** What a million chats cost at list prices: counts times prices, nothing else. */
import { prices } from './price-list.ts';

export interface Mix {
  /** Parts of all chats; together 1. */
  hits: number;
  light: number;
  heavy: number;
}

/** The documented mix. */
export const mix: Mix = { hits: 0.3, light: 0.5, heavy: 0.2 };

export interface CostCounts {
  /** Processor time of the edge, in milliseconds: a hit, and a chat that asks a model. */
  edgeMs: { hit: number; asked: number };
  /** Commands of the Redis store: a hit, and a chat that asks a model. Measured by the smoke. */
  redisCommands: { hit: number; asked: number };
  /** Calls of Durable Objects. */
  objectCalls: { hit: number; asked: number };
  /** Seconds that an object is in memory for a chat: several chats share one at a time. */
  objectSeconds: { hit: number; asked: number };
  /** SQLite rows that objects write where no Redis is configured. */
  rowsWritten: { hit: number; asked: number };
  /** Time and memory of the core's function for a heavy chat; it waits for the model most of the time. */
  coreSeconds: number;
  coreGigabytes: number;
  /** Tokens of a chat. */
  tokens: { input: number; output: number };
  /** Compute hours of the database for a million heavy chats. */
  databaseHours: number;
}

export interface CostLine {
  what: string;
  /** US dollars for a million chats. */
  usd: number;
}

const MILLION = 1_000_000;
const OBJECT_GIGABYTES = 0.128;

export function costPerMillion({ hits, light, heavy }: Mix, counts: CostCounts): CostLine[] {
  const asked = light + heavy;
  const both = (count: { hit: number; asked: number }) => hits * count.hit + asked * count.asked;
  const { workers, durableObjects, redis, functions, database, models } = prices;
  const tokens = (model: { input: number; output: number }) =>
    counts.tokens.input * model.input + counts.tokens.output * model.output;
  return [
    { what: 'edge: requests', usd: workers.perMillionRequests },
    { what: 'edge: processor time', usd: both(counts.edgeMs) * workers.perMillionCpuMs },
    { what: 'edge: objects', usd: both(counts.objectCalls) * durableObjects.perMillionRequests },
    {
      what: 'edge: time of objects',
      usd: both(counts.objectSeconds) * OBJECT_GIGABYTES * durableObjects.perMillionGigabyteSeconds,
    },
    { what: 'edge: rows written', usd: both(counts.rowsWritten) * durableObjects.perMillionRowsWritten },
    { what: 'Redis', usd: both(counts.redisCommands) * 10 * redis.perHundredThousandCommands },
    {
      what: 'core: functions',
      usd:
        heavy *
        (functions.perMillionRequests +
          MILLION * counts.coreSeconds * counts.coreGigabytes * functions.perGigabyteSecond),
    },
    { what: 'core: database', usd: heavy * counts.databaseHours * database.perComputeHour },
    { what: `light model (${models.light.name})`, usd: light * tokens(models.light) },
    { what: `heavy model (${models.heavy.name})`, usd: heavy * tokens(models.heavy) },
  ];
}
