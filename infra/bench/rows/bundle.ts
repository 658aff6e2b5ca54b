/** What the Worker weighs, and what an isolate does before its first request. */
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { buildEdge } from '../../local/build.ts';
import { workerBundle } from '../../local/bundle-paths.ts';
import { measureStartUp } from '../measure/start-up.ts';
import { atMost, type BenchRow } from '../row.ts';

export const bundle: BenchRow = {
  name: 'bundle',
  title: 'Worker bundle, and start-up CPU',
  async run() {
    await buildEdge();
    const worker = await readFile(workerBundle);
    const startUp = await measureStartUp();
    return {
      figures: [
        atMost('compressed (gzip)', gzipSync(worker).length / 1000, 150, 'kB'),
        atMost('start-up CPU', startUp.processorMs, 50, 'ms'),
      ],
      measured: [
        {
          target: 'ours',
          values: { 'kB as built': worker.length / 1000, 'kB compressed': gzipSync(worker).length / 1000 },
        },
      ],
      notes: [startUp.how],
    };
  },
};
