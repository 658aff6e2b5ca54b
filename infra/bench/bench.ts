import { runCommand, UsageError, type Values } from '../local/command.ts';
import { describeMachine } from './report/machine.ts';
import { toLines } from './report/to-lines.ts';
import { writeReport } from './report/write-report.ts';
import type { RowReport, RowResult } from './row.ts';
import { rows } from './rows/rows.ts';
import { startSystems } from './systems/systems.ts';

const options = {
  rows: {
    type: 'string',
    value: 'NAMES',
    default: rows.map(({ name }) => name).join(','),
    help: 'Rows to measure, separated by commas',
  },
  rounds: { type: 'number', value: 'N', default: 5, help: 'Rounds of each measurement' },
  seconds: { type: 'number', value: 'N', default: 3, help: 'Duration of one round' },
  dry: { type: 'boolean', help: 'Print only; write no files' },
} as const;

await runCommand({
  name: 'npm run bench',
  summary:
    'Measures Edgewise beside the fastest possible Workers on the same runtime and beside a peer gateway. ' +
    'Writes the table to infra/bench/results as Markdown, JSON and SVG.',
  options,
  example: 'npm run bench -- --rows cached,first-token --dry',
  run: bench,
});

async function bench({ rows: names, rounds, seconds, dry }: Values<typeof options>): Promise<void> {
  const wanted = new Set(names.split(','));
  for (const name of wanted)
    if (!rows.some((row) => row.name === name)) throw new UsageError(`There is no row '${name}'.`);
  const machine = describeMachine();
  const startMs = Date.now();
  const systems = await startSystems();
  const reports: RowReport[] = [];
  try {
    for (const row of rows.filter(({ name }) => wanted.has(name))) {
      const rowMs = Date.now();
      // A row that fails does not cost the others.
      const result = await row.run({ systems, rounds, seconds }).catch(toFailure);
      const report = { name: row.name, title: row.title, ...result };
      reports.push(report);
      console.log(toLines(report));
      console.log(`  (${((Date.now() - rowMs) / 1000).toFixed(0)} s)\n`);
    }
  } finally {
    await systems.stop();
  }
  const minutes = (Date.now() - startMs) / 60_000;
  console.log(`${minutes.toFixed(1)} minutes in all.`);
  if (dry) return;
  const date = new Date(startMs).toISOString().slice(0, 10);
  console.log(await writeReport({ date, minutes, machine, rows: reports }));
}

function toFailure(error: Error): RowResult {
  process.exitCode = 1;
  const figures = [{ what: 'measured', value: Number.NaN, unit: '', goal: 'at all', isReached: false }];
  return { figures, measured: [], notes: [`It could not be measured: ${error.message}`] };
}
