import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowResult } from '../row.ts';

export interface RowReport extends RowResult {
  name: string;
  title: string;
}

export async function writeReport(reports: RowReport[], minutes: number): Promise<void> {
  const dir = join(import.meta.dirname, '../results');
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'bench.json'), `${JSON.stringify({ minutes, reports }, null, 2)}\n`);
}
