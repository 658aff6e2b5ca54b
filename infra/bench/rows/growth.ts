/** Whether what one turn, or one request, costs stays the same as what there is grows. */
import { loadTarget } from '../measure/load.ts';
import { atMost, type BenchRow } from '../row.ts';
import { startBenchEdge } from '../systems/edge.ts';
import { askedAnew } from '../systems/target.ts';
import { answerCosts } from './growth/answer-costs.ts';
import { type HandlerPace, mostOf, pacedRatioOf, ratioOf, toMeasured } from './growth/cost.ts';
import { keyCosts } from './growth/key-costs.ts';
import { tenantCosts } from './growth/tenant-costs.ts';
import { turnCosts } from './growth/turn-costs.ts';

const FLAT = 1.5;
const MOST_TURNS = 10_000;
/** Answers, keys and tenants. */
const MOST = 1_000_000;

export const growth: BenchRow = {
  name: 'growth',
  title: 'growth',
  async run({ systems }) {
    const { upstream } = systems;
    await upstream.behave({ events: 3, firstMs: 0, paceMs: 0 });
    const handler = await systems.jsonFloor();
    const handlerPace: HandlerPace = async () =>
      (await loadTarget(handler, { ...askedAnew, stream: false, clients: 1, seconds: 2 })).processorUs;
    // One of its own: what grows here would be in the way of the other rows.
    const edge = await startBenchEdge({ upstreamPort: upstream.port });
    try {
      const turns = await turnCosts(edge, askedAnew, MOST_TURNS);
      const answers = await answerCosts(edge, upstream, handlerPace, MOST);
      const keys = await keyCosts(edge, askedAnew, MOST);
      const tenants = await tenantCosts(edge, askedAnew, handlerPace, { asking: 500, most: MOST });
      return {
        figures: [
          atMost(`a turn after ${mostOf(turns)}, by one after 10`, ratioOf(turns, 'median ms'), FLAT),
          atMost(
            `a hit among ${mostOf(answers)} cached answers, by one among 10`,
            pacedRatioOf(answers, 'processor µs'),
            FLAT,
          ),
          atMost(
            `the first request with one of ${mostOf(keys)} keys, by one among 10`,
            ratioOf(keys, 'median ms'),
            FLAT,
          ),
          atMost(
            `a request among ${mostOf(tenants)} tenants, by one among 10`,
            pacedRatioOf(tenants, 'processor µs'),
            FLAT,
          ),
          atMost(
            `the first request of one of ${mostOf(tenants)} tenants, by that of one of 10`,
            pacedRatioOf(tenants, 'first, processor µs'),
            FLAT,
          ),
        ],
        measured: [
          ...toMeasured('turns', turns),
          ...toMeasured('answers', answers),
          ...toMeasured('keys', keys),
          ...toMeasured('tenants', tenants),
        ],
        notes: [
          "Answers lie in the SQLite of the tenant's 16 objects: 800 hits, one after the other, each found there and not in the isolate's memory; the upstream saw no call. Their ratio is that of processor time, by a bare handler's right before and after, since the machine is not equally fast all the time. Among 10 the same ten come again and again, so that the edge remembers what such a question is called, which makes them a little cheaper than they are.",
          'A key is made and used for the first time, 100 times: the edge asks the core, and the core its embedded database; "again" is its second request. These keys come on top of the number that is named.',
          "A tenant is Durable Objects of its own with files of its own: 500 tenants ask themselves, the files of all others are laid beneath the edge. The edge begins anew before each size. The ratios are those of processor time, by a bare handler's as well; a first request makes files, and how long that takes is the disk's.",
        ],
      };
    } finally {
      await edge.stop();
    }
  },
};
