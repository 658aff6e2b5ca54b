import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { backupName, timeOfBackup } from './manifest.ts';
import { parseRetention, toKeep } from './retention.ts';

const at = (text: string) => Date.parse(`${text}Z`);

test('the newest backup of each day, week and month is kept', () => {
  const times = [
    '2026-11-21T03:00:00',
    '2026-11-21T01:00:00',
    '2026-11-20T03:00:00',
    '2026-11-19T03:00:00',
    '2026-11-15T03:00:00',
    '2026-11-14T03:00:00',
    '2026-10-31T03:00:00',
    '2026-10-01T03:00:00',
    '2026-08-01T03:00:00',
  ].map(at);
  const kept = toKeep(times, { days: 2, weeks: 2, months: 3 });
  expect([...kept].sort((one, other) => other - one)).toEqual(
    [
      '2026-11-21T03:00:00',
      '2026-11-20T03:00:00',
      '2026-11-15T03:00:00',
      '2026-10-31T03:00:00',
      '2026-08-01T03:00:00',
    ].map(at),
  );
});

test('the newest is always kept, and never more than configured', () => {
  const times = fc.array(fc.integer({ min: 0, max: at('2030-01-01T00:00:00') }), { minLength: 1 });
  const most = fc.integer({ min: 0, max: 20 });
  fc.assert(
    fc.property(times, most, most, most, (all, days, weeks, months) => {
      const kept = toKeep(all, { days, weeks, months });
      expect(kept.has(Math.max(...all))).toBe(true);
      expect(kept.size).toBeLessThanOrEqual(Math.max(1, days + weeks + months));
    }),
  );
});

test('a retention is parsed, and errors name the fault', () => {
  expect(parseRetention('7d, 4w,12m')).toEqual({ days: 7, weeks: 4, months: 12 });
  expect(parseRetention('30d')).toEqual({ days: 30, weeks: 0, months: 0 });
  for (const wrong of ['', '7', 'd', '7y', '0d']) expect(() => parseRetention(wrong)).toThrow();
});

test('a backup is named after its time', () => {
  const name = backupName(at('2026-11-21T03:04:05'));
  expect(name).toBe('2026-11-21T03-04-05Z');
  expect(timeOfBackup(name)).toBe(at('2026-11-21T03:04:05'));
  for (const none of ['2026-11-21T03-04-05Z.part', 'lost+found', '.'])
    expect(timeOfBackup(none)).toBeUndefined();
});
