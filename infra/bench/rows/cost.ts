/** A million chats of the documented mix at list prices, from what was counted here. */
import { type CostLine, costPerMillion, mix } from '../cost/cost-model.ts';
import { prices, readOn } from '../cost/price-list.ts';
import { type Load, loadTarget } from '../measure/load.ts';
import { atMost, type BenchRow, shown } from '../row.ts';
import { readCounts } from '../smoke/counts.ts';

/** A chat of a support page, with a system prompt and a little context. */
const TOKENS = { input: 600, output: 200 };
/** How long an answer takes, and how many of them one object has on their way at a time. */
const ANSWER_SECONDS = 4;
const CHATS_AN_OBJECT = 10;
/** A heavy chat: the core's function is held open while the model writes; several share one at a time. */
const CORE = { coreSeconds: 8 / 10, coreGigabytes: 0.5 };
/** A quarter of a compute unit, always on, for ten million chats a month. */
const DATABASE_HOURS = (0.25 * 730) / 10;

export const cost: BenchRow = {
  name: 'cost',
  title: 'cost per million chats at list prices',
  async run({ systems }) {
    await systems.upstream.behave({ events: 100, firstMs: 0, paceMs: 0 });
    const edge = await systems.edge();
    const load: Load = { stream: true, content: 'What does it cost?', clients: 8, seconds: 2 };
    const hit = await loadTarget(edge, load);
    const asked = await loadTarget(edge, { ...load, headers: { 'cache-control': 'no-store' } });
    const counted = await readCounts();
    const common = {
      edgeMs: { hit: hit.processorUs / 1000, asked: asked.processorUs / 1000 },
      // Asking the object of answers, and a share of limits in fifty calls.
      objectCalls: { hit: 0.02, asked: 1.04 },
      objectSeconds: { hit: 0, asked: ANSWER_SECONDS / CHATS_AN_OBJECT },
      ...CORE,
      tokens: TOKENS,
      databaseHours: DATABASE_HOURS,
    };
    const inObjects = costPerMillion(mix, {
      ...common,
      redisCommands: { hit: 0, asked: 0 },
      rowsWritten: { hit: 0, asked: 1.2 },
    });
    const inRedis = costPerMillion(mix, {
      ...common,
      redisCommands: { hit: counted.redisCommandsPerHit, asked: counted.redisCommandsPerAskedPrompt },
      rowsWritten: { hit: 0, asked: 0 },
    });
    const sum = (lines: CostLine[]) => lines.reduce((all, { usd }) => all + usd, 0);
    const redisOf = (lines: CostLine[]) => lines.find(({ what }) => what === 'Redis')?.usd ?? Number.NaN;
    const withoutModels = (lines: CostLine[]) => sum(lines.filter(({ what }) => !what.includes('model')));
    return {
      figures: [
        shown('in all', sum(inObjects), '$'),
        shown('without the models', withoutModels(inObjects), '$'),
        shown('without the models, answers and limits in Redis', withoutModels(inRedis), '$'),
        atMost('of it Redis, as it is by default', redisOf(inObjects), 1, '$'),
        atMost('of it Redis, answers and limits in Redis', redisOf(inRedis), 1, '$'),
      ],
      measured: inObjects.map(({ what, usd }, at) => ({
        target: what,
        values: { 'in objects, $': usd, 'in Redis, $': inRedis[at]?.usd ?? Number.NaN },
      })),
      notes: [
        `${100 * mix.hits}% hits, ${100 * mix.light}% light, ${100 * mix.heavy}% heavy; ${TOKENS.input} tokens in and ${TOKENS.output} out. List prices of ${readOn}, with their sources in infra/bench/cost/price-list.ts.`,
        `Redis commands of one user who asks often, counted by the smoke: ${counted.redisCommandsPerHit} a hit, ${counted.redisCommandsPerAskedPrompt} a prompt that is asked: one to look, one to keep, and a share of limits. By default Durable Objects keep answers and limits.`,
        `${prices.models.light.name} and ${prices.models.heavy.name} stand for the light and the heavy model.`,
      ],
    };
  },
};
