/** What the smoke counts, and the counts that are committed. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** More is worse for each of them. */
export interface Counts {
  /** For 50 identical prompts at the same time. */
  upstreamCalls: number;
  /** Commands of the Redis store, with limits and cache in it: an answer that is there, one that must be asked for. */
  redisCommandsPerHit: number;
  redisCommandsPerAskedPrompt: number;
  /** Besides those of its model: load, append and log of a turn of a session. */
  redisCommandsPerSessionTurn: number;
  /** Of the Worker, compressed. */
  bundleKilobytes: number;
  /** Of an answer of 100 events, as it goes to the client. */
  bytesPerEvent: number;
}

const path = join(import.meta.dirname, 'counts.json');

export async function readCounts(): Promise<Counts> {
  return JSON.parse(await readFile(path, 'utf8'));
}

export async function writeCounts(counts: Counts): Promise<void> {
  await writeFile(path, `${JSON.stringify(counts, null, 2)}\n`);
}

/** How much more than the committed count is still no regression: what differs by nothing that matters. */
const slack: Partial<Record<keyof Counts, number>> = {
  redisCommandsPerHit: 0.05,
  redisCommandsPerAskedPrompt: 0.2,
  redisCommandsPerSessionTurn: 0.2,
  bundleKilobytes: 2,
  bytesPerEvent: 3,
};

/** @returns a line for each count that is worse than the committed one */
export function regressions(counted: Counts, committed: Counts): string[] {
  return (Object.keys(counted) as (keyof Counts)[]).flatMap((name) => {
    const most = committed[name] + (slack[name] ?? 0);
    return counted[name] <= most ? [] : [`${name}: ${counted[name]}, committed ${committed[name]}`];
  });
}
