import { expect, test } from 'vitest';
import { byDay, byModel, type UsageRow } from './usage.ts';

const row = (day: string, model: string, requests: number, costUsd: number): UsageRow => ({
  day,
  model,
  requests,
  errors: 1,
  cache_hits: 2,
  input_tokens: 10,
  output_tokens: 20,
  cost_usd: costUsd,
});
const rows = [
  row('2026-11-19', 'small', 5, 0.1),
  row('2026-11-21', 'small', 7, 0.2),
  row('2026-11-21', 'large', 1, 3),
];

test('by model: the dearest first', () => {
  expect(byModel(rows)).toEqual([
    {
      model: 'large',
      requests: 1,
      errors: 1,
      cache_hits: 2,
      input_tokens: 10,
      output_tokens: 20,
      cost_usd: 3,
    },
    {
      model: 'small',
      requests: 12,
      errors: 2,
      cache_hits: 4,
      input_tokens: 20,
      output_tokens: 40,
      cost_usd: expect.closeTo(0.3),
    },
  ]);
});

test('by day: without a gap, up to the last one', () => {
  const days = byDay(rows, Date.parse('2026-11-21T23:00:00Z'), 4);
  expect(days.map(({ day, requests }) => [day, requests])).toEqual([
    ['2026-11-18', 0],
    ['2026-11-19', 5],
    ['2026-11-20', 0],
    ['2026-11-21', 8],
  ]);
});
