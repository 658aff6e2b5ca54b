/**
 * List prices in US dollars, as their pages said on the day given there. They are the model's whole input besides
 * the mix and the counts: change them and run the row again.
 */
export const readOn = '2026-11-21';

export const prices = {
  /** https://developers.cloudflare.com/workers/platform/pricing/ : Standard, above what the $5 a month include. */
  workers: { perMillionRequests: 0.3, perMillionCpuMs: 0.02 },
  /** https://developers.cloudflare.com/durable-objects/platform/pricing/ : a request to an object, its time in memory (128 MB), SQLite rows. */
  durableObjects: { perMillionRequests: 0.15, perMillionGigabyteSeconds: 12.5, perMillionRowsWritten: 1 },
  /** https://upstash.com/pricing/redis : pay as you go, a command. */
  redis: { perHundredThousandCommands: 0.2 },
  /** https://aws.amazon.com/lambda/pricing/ : x86, us-east-1; stands for any function that runs the core. */
  functions: { perMillionRequests: 0.2, perGigabyteSecond: 0.0000166667 },
  /** https://neon.com/pricing : Launch, a compute unit's hour. */
  database: { perComputeHour: 0.106 },
  /** https://openai.com/api/pricing/ : a million tokens. */
  models: {
    light: { name: 'gpt-5-nano', input: 0.05, output: 0.4 },
    heavy: { name: 'gpt-5-mini', input: 0.25, output: 2 },
  },
} as const;
