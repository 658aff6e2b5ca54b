import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createMetricsHistory } from './history.ts';

const nowMs = Date.UTC(2026, 10, 21);
beforeEach(() => {
  vi.useFakeTimers({ now: nowMs });
});
afterEach(() => void vi.useRealTimers());

const counter = (value: number) =>
  `# HELP asked_total Asked.\n# TYPE asked_total counter\nasked_total ${value}\n`;
const gauge = (value: number) => `# HELP running Now.\n# TYPE running gauge\nrunning ${value}\n`;
const hidden = '# TYPE process_cpu gauge\nprocess_cpu 1\n';

function setUp(readings: (string | Error)[]) {
  const history = createMetricsHistory(async () => {
    const reading = readings.shift();
    if (reading instanceof Error) throw reading;
    return reading ?? gauge(0);
  });
  const values = (name: string) => [
    ...(history.charts.value.find((chart) => chart.name === name)?.lines.values() ?? []),
  ];
  return { history, values };
}

test('a gauge shows what it says, and a counter how fast it grows', async () => {
  const { history, values } = setUp([
    counter(10) + gauge(3) + hidden,
    counter(20) + gauge(4) + hidden,
    counter(45) + gauge(2) + hidden,
  ]);
  history.start();
  await vi.advanceTimersByTimeAsync(10_000);
  history.stop();
  expect(history.charts.value.map(({ name }) => name)).toEqual(['asked_total', 'running']);
  expect(values('running')).toEqual([[3, 4, 2]]);
  expect(values('asked_total')).toEqual([[undefined, 2, 5]]);
  expect(history.charts.value[0]?.times).toEqual([nowMs, nowMs + 5000, nowMs + 10_000]);
});

test('a reading that fails is told, and the next one goes on', async () => {
  const { history, values } = setUp([gauge(1), new Error('no'), gauge(2)]);
  history.start();
  await vi.advanceTimersByTimeAsync(5000);
  expect([history.failure.value, values('running')]).toEqual(['no', [[1]]]);
  await vi.advanceTimersByTimeAsync(5000);
  expect([history.failure.value, values('running')]).toEqual([undefined, [[1, 2]]]);
  history.stop();
});

test('the last 120 readings are kept', async () => {
  const { history, values } = setUp(Array.from({ length: 125 }, (_, index) => gauge(index)));
  history.start();
  await vi.advanceTimersByTimeAsync(5000 * 124);
  history.stop();
  expect(values('running')[0]).toEqual(Array.from({ length: 120 }, (_, index) => index + 5));
  expect(history.charts.value[0]?.times).toHaveLength(120);
});

test('nothing is read after the end', async () => {
  const { history, values } = setUp([gauge(1), gauge(2)]);
  history.start();
  await vi.advanceTimersByTimeAsync(0);
  history.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(values('running')).toEqual([[1]]);
});
