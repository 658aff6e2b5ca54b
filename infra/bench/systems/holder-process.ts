/** Opens many streams, reads the first word of each, and then holds them until its parent leaves. */
import { Agent, request } from 'node:http';

interface Orders {
  url: string;
  headers: Record<string, string>;
  body: string;
  count: number;
}

const AT_ONCE = 64;
const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });

process.on('disconnect', () => process.exit(0));
process.on('message', async ({ url, headers, body, count }: Orders) => {
  let begun = 0;
  let held = 0;
  let failed = 0;

  function open(): Promise<void> {
    return new Promise((resolve) => {
      const call = request(url, { method: 'POST', agent, headers }, (answer) => {
        if (answer.statusCode !== 200) {
          failed++;
          return resolve();
        }
        answer.once('data', () => {
          held++;
          resolve();
        });
        answer.resume();
      });
      call.on('error', () => {
        failed++;
        resolve();
      });
      call.end(body);
    });
  }

  async function opener(): Promise<void> {
    while (begun < count) {
      begun++;
      await open();
    }
  }

  await Promise.all(Array.from({ length: AT_ONCE }, opener));
  process.send?.({ held, failed });
});
