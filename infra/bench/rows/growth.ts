/** Whether what one turn, or one request, costs stays the same as what there is grows. */

import { timeStream } from '../measure/first-token.ts';
import { type Load, loadTarget } from '../measure/load.ts';
import { processorMs } from '../measure/process-usage.ts';
import { median } from '../measure/statistics.ts';
import { atMost, type BenchRow, type Measured } from '../row.ts';
import type { BenchEdge } from '../systems/edge.ts';
import type { Asked } from '../systems/target.ts';
import { timeTurn } from './session-turn.ts';

const WINDOW = 40;
/** Sessions that take turns, so that a pause of the machine does not fall on one length alone. */
const FLAT = 1.5;

export const growth: BenchRow = {
  name: 'growth',
  title: 'growth',
  async run({ systems, long }) {
    await systems.upstream.behave({ events: 3, firstMs: 0, paceMs: 0 });
    const edge = await systems.edge();
    const turns = await turnCosts(edge, long ? 10_000 : 1000);
    const answers = await answerCosts(edge, long ? 100_000 : 5000);
    const tenants = await tenantCosts(edge, long ? 10_000 : 1000);
    return {
      figures: [
        atMost(
          `a turn after ${turns.at(-1)?.size.toLocaleString('en-US')}, by one after 10`,
          ratio(turns),
          FLAT,
        ),
        atMost(
          `a hit among ${answers.at(-1)?.size.toLocaleString('en-US')} cached answers, by one among 10`,
          ratio(answers),
          FLAT,
        ),
        atMost(
          `a request among ${tenants.at(-1)?.size.toLocaleString('en-US')} tenants, by one among 10`,
          ratio(tenants),
          FLAT,
        ),
      ],
      measured: [
        ...turns.map(toMeasured('turns', 'median ms')),
        ...answers.map(toMeasured('answers', 'processor µs')),
        ...tenants.map(toMeasured('tenants', 'processor µs')),
      ],
      notes: [
        long
          ? 'With --long.'
          : 'To 1,000 turns, 5,000 answers and 1,000 tenants; --long goes to 10,000, 100,000 and 10,000.',
      ],
    };
  },
};

interface Cost {
  /** How much there was. */
  size: number;
  value: number;
}

const asked: Asked = {
  stream: true,
  content: 'When do you open on Sundays?',
  headers: { 'cache-control': 'no-store' },
};
const load: Load = { stream: false, content: 'When do you open on Sundays?', clients: 16, seconds: 2 };
const ratio = (costs: Cost[]) => (costs.at(-1)?.value ?? Number.NaN) / (costs[0]?.value ?? Number.NaN);
const toMeasured =
  (what: string, unit: string) =>
  ({ size, value }: Cost): Measured => ({ target: `${size} ${what}`, values: { [unit]: value } });

/** A session grows; what a turn takes is looked at after 10, 100, 1,000, ... turns. */
async function turnCosts(edge: BenchEdge, most: number): Promise<Cost[]> {
  const costs: Cost[] = [];
  const marks = [10, 100, 1000, 10_000].filter((mark) => mark <= most);
  let taken = 0;
  for (const size of marks) {
    for (; taken < size; taken++) await timeTurn(edge, asked, 'bench-growing');
    const times: number[] = [];
    for (let turn = 0; turn < WINDOW; turn++, taken++)
      times.push((await timeTurn(edge, asked, 'bench-growing')).totalMs);
    costs.push({ size, value: median(times) });
  }
  return costs;
}

/** One question is asked again and again while the tenant has more and more answers. */
async function answerCosts(edge: BenchEdge, most: number): Promise<Cost[]> {
  const costs: Cost[] = [];
  let kept = 0;
  for (const size of [10, 1000, 5000, 100_000].filter((mark) => mark <= most)) {
    for (; kept < size; kept += 10) {
      const questions = Array.from({ length: 10 }, (_, at) => `Question number ${kept + at}?`);
      await Promise.all(questions.map((content) => timeStream(edge, { stream: true, content })));
    }
    costs.push({ size, value: (await loadTarget(edge, load)).processorUs });
  }
  return costs;
}

/** One tenant asks while more and more tenants have asked. */
async function tenantCosts(edge: BenchEdge, most: number): Promise<Cost[]> {
  const costs: Cost[] = [];
  let known = 0;
  for (const size of [10, 100, 1000, 10_000].filter((mark) => mark <= most)) {
    for (; known < size; known++) {
      const headers = { authorization: await edge.authorization(`user${known}`, `tenant${known}`) };
      await timeStream({ ...edge, headers }, asked);
    }
    const beforeMs = processorMs(edge.pid);
    const { answersPerSecond } = await loadTarget(edge, { ...load, headers: asked.headers ?? {} });
    costs.push({
      size,
      value: ((processorMs(edge.pid) - beforeMs) * 1000) / (answersPerSecond * load.seconds),
    });
  }
  return costs;
}
