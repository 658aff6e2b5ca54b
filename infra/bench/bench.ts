/**
 * `npm run bench`: what Edgewise takes of a user's time, beside the least that a Worker can do and beside a peer.
 * Everything in one go; the table goes to `infra/bench/results/` as Markdown, JSON and SVG.
 * `--rows cached,streamed` for some of them, `--rounds`, `--seconds`, `--dry` to write nothing.
 */
import { parseArgs } from 'node:util';
import { describeMachine } from './report/machine.ts';
import { toLines } from './report/to-lines.ts';
import { type RowReport, writeReport } from './report/write-report.ts';
import type { RowResult } from './row.ts';
import { rows } from './rows/rows.ts';
import { startSystems } from './systems/systems.ts';

const { values: given } = parseArgs({
  options: {
    rows: { type: 'string', default: rows.map(({ name }) => name).join(',') },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    dry: { type: 'boolean', default: false },
  },
});
const wanted = new Set(given.rows.split(','));
const machine = describeMachine();
const startMs = Date.now();
const systems = await startSystems();
const reports: RowReport[] = [];
try {
  for (const row of rows.filter(({ name }) => wanted.has(name))) {
    const rowMs = Date.now();
    const options = {
      systems,
      rounds: Number(given.rounds),
      seconds: Number(given.seconds),
    };
    // What one row cannot measure must not cost the others.
    const result = await row.run(options).catch(toFailure);
    const report = { name: row.name, title: row.title, ...result };
    reports.push(report);
    console.log(toLines(report));
    console.log(`  (${((Date.now() - rowMs) / 1000).toFixed(0)} s)\n`);
  }
} finally {
  await systems.stop();
}
function toFailure(error: Error): RowResult {
  process.exitCode = 1;
  const figures = [{ what: 'measured', value: Number.NaN, unit: '', goal: 'at all', isReached: false }];
  return { figures, measured: [], notes: [`It could not be measured: ${error.message}`] };
}

const minutes = (Date.now() - startMs) / 60_000;
console.log(`${minutes.toFixed(1)} minutes in all.`);
if (!given.dry) {
  const date = new Date(startMs).toISOString().slice(0, 10);
  console.log(await writeReport({ date, minutes, machine, rows: reports }));
}
