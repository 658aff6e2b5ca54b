/** A process that owns a generation and says a number every few milliseconds, until it is killed or told to stop. */
import { Redis } from 'ioredis';
import { createRedisGenerationLog } from '../../core/generations/redis-generation-log.ts';
import { modelStart, textDelta } from '../../shared/testing/scripted-model.ts';

const [port = '', key = '', leaseMs = ''] = process.argv.slice(2);
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const redis = new Redis(Number(port), '127.0.0.1');
const log = createRedisGenerationLog({ redis, leaseMs: Number(leaseMs), now: Date.now, wait });
let stopped: string | undefined;
await log.open(key, (reason) => {
  stopped ??= reason?.code ?? 'cancelled';
});
await log.append(key, modelStart);
for (let count = 0; stopped === undefined && count < 5000; count++) {
  await log.append(key, textDelta(`${count} `));
  if (count === 10) console.log('running');
  await wait(5);
}
console.log(`stopped: ${stopped}`);
log.close();
redis.disconnect();
