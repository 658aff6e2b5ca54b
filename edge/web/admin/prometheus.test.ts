import { expect, test } from 'vitest';
import { linesOf, parsePrometheus, quantile } from './prometheus.ts';

const text = `# HELP edgewise_requests_total Requests by route \\\\ and status.
# TYPE edgewise_requests_total counter
edgewise_requests_total{route="/v1/chat/completions",status="200"} 10
edgewise_requests_total{route="a \\"quoted\\" one",status="429"} 2 1700000000000
# TYPE turns_running gauge
turns_running 3
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.1"} 5
wait_seconds_bucket{le="1"} 9
wait_seconds_bucket{le="+Inf"} 10
wait_seconds_sum 4.2
wait_seconds_count 10
this is no metric
`;

test('families are read with their help, their labels and their buckets', () => {
  const families = parsePrometheus(text);
  expect(families.map(({ name, type }) => [name, type])).toEqual([
    ['edgewise_requests_total', 'counter'],
    ['turns_running', 'gauge'],
    ['wait_seconds', 'histogram'],
  ]);
  expect(families[0]?.help).toBe('Requests by route \\ and status.');
  expect(families[0]?.samples[1]).toEqual({
    name: 'edgewise_requests_total',
    labels: { route: 'a "quoted" one', status: '429' },
    value: 2,
  });
  expect(families[2]?.samples).toHaveLength(5);
});

test('a counter is told as a rate, also after it has begun anew', () => {
  const [now] = parsePrometheus('# TYPE a counter\na{x="1"} 30\na{x="2"} 4\n');
  const [before] = parsePrometheus('# TYPE a counter\na{x="1"} 10\na{x="2"} 9\n');
  if (!now || !before) throw new Error('nothing was read');
  expect(linesOf(now, before, 5)).toEqual([
    { name: '1', value: 4 },
    { name: '2', value: 0.8 },
  ]);
  expect(linesOf(now, undefined, 5)).toEqual([]);
});

test('a gauge is told as it is, a histogram by what came since', () => {
  const [, gauge, histogram] = parsePrometheus(text);
  if (!gauge || !histogram) throw new Error('nothing was read');
  expect(linesOf(gauge, undefined, 0)).toEqual([{ name: '', value: 3 }]);
  const later = {
    ...histogram,
    samples: histogram.samples.map((sample) => ({ ...sample, value: sample.value + 2 })),
  };
  // Two more, both in the first bucket.
  expect(linesOf(later, histogram, 5)).toEqual([{ name: '', value: expect.closeTo(0.095) }]);
  expect(linesOf(histogram, histogram, 5)).toEqual([]);
});

test('a quantile beyond the last bound is that bound', () => {
  expect(
    quantile(0.95, [
      { le: 1, count: 1 },
      { le: Number.POSITIVE_INFINITY, count: 10 },
    ]),
  ).toBe(1);
  expect(quantile(0.5, [])).toBeUndefined();
});
