/** Which backups are kept: the newest one of each of the last days, weeks and months that have a backup. */
export interface Retention {
  days: number;
  weeks: number;
  months: number;
}

/** Parses `7d,4w,12m`; a unit that is left out means 0. @throws Error */
export function parseRetention(text: string): Retention {
  const retention: Retention = { days: 0, weeks: 0, months: 0 };
  for (const part of text.split(',').map((one) => one.trim())) {
    const [, number = '', unit = ''] = /^(\d{1,4})([dwm])$/.exec(part) ?? [];
    if (number === '') throw new Error(`"${text}" is not a retention; write it like 7d,4w,12m.`);
    retention[unit === 'd' ? 'days' : unit === 'w' ? 'weeks' : 'months'] = Number(number);
  }
  if (retention.days + retention.weeks + retention.months === 0)
    throw new Error('A retention must keep at least one backup.');
  return retention;
}

const DAY_MS = 86_400_000;

/** @param times When the backups were made, Unix milliseconds @returns the times to keep, always with the newest */
export function toKeep(times: readonly number[], { days, weeks, months }: Retention): Set<number> {
  const newestFirst = [...times].sort((one, other) => other - one);
  const kept = new Set(newestFirst.slice(0, 1));
  const keep = (most: number, spanOf: (timeMs: number) => number | string) => {
    const spans = new Set<number | string>();
    for (const timeMs of newestFirst) {
      const span = spanOf(timeMs);
      if (spans.has(span)) continue;
      if (spans.size === most) return;
      spans.add(span);
      kept.add(timeMs);
    }
  };
  keep(days, (timeMs) => Math.floor(timeMs / DAY_MS));
  // 1970-01-01 was a Thursday, and weeks begin on Mondays.
  keep(weeks, (timeMs) => Math.floor((timeMs / DAY_MS + 3) / 7));
  keep(months, (timeMs) => new Date(timeMs).toISOString().slice(0, 7));
  return kept;
}
