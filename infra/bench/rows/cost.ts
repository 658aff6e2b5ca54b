/** A million chats of the documented mix at list prices, from what was counted here. */
import { costPerMillion, mix } from '../cost/cost-model.ts';
import { prices, readOn } from '../cost/price-list.ts';
import { type Load, loadTarget } from '../measure/load.ts';
import { atMost, type BenchRow } from '../row.ts';
import { readCounts } from '../smoke/counts.ts';

/** A chat of a support page, with a system prompt and a little context. */
const TOKENS = { input: 600, output: 200 };
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
    const lines = costPerMillion(mix, {
      edgeMs: { hit: hit.processorUs / 1000, asked: asked.processorUs / 1000 },
      redisCommands: { hit: counted.redisCommandsPerHit, asked: counted.redisCommandsPerAskedPrompt },
      // Asking the store of answers, and a share of limits in fifty calls.
      objectCalls: { hit: 0.02, asked: 1.04 },
      rowsWritten: { hit: 0, asked: 1.2 },
      ...CORE,
      tokens: TOKENS,
      databaseHours: DATABASE_HOURS,
    });
    const redis = lines.find(({ what }) => what === 'Redis')?.usd ?? Number.NaN;
    const all = lines.reduce((sum, { usd }) => sum + usd, 0);
    const models = lines.filter(({ what }) => what.includes('model'));
    return {
      figures: [
        { what: 'in all', value: all, unit: '$' },
        {
          what: 'without the models',
          value: all - models.reduce((sum, { usd }) => sum + usd, 0),
          unit: '$',
        },
        atMost('of it Redis', redis, 1, '$'),
      ],
      measured: lines.map(({ what, usd }) => ({ target: what, values: { '$ a million chats': usd } })),
      notes: [
        `${100 * mix.hits}% hits, ${100 * mix.light}% light, ${100 * mix.heavy}% heavy; ${TOKENS.input} tokens in and ${TOKENS.output} out. List prices of ${readOn}, with their sources in infra/bench/cost/price-list.ts.`,
        `Redis commands of one user who asks often, counted by the smoke: ${counted.redisCommandsPerHit} a hit, ${counted.redisCommandsPerAskedPrompt} a prompt that is asked. Without Redis the Durable Objects keep what it would: its line is 0 then.`,
        `${prices.models.light.name} and ${prices.models.heavy.name} stand for the light and the heavy model.`,
      ],
    };
  },
};
