import { useEffect, useState } from 'preact/hooks';
import type { Api } from '../chat/api.ts';
import { toNumber } from '../words/words.ts';
import { t } from './admin-words.ts';
import { attempt } from './attempt.ts';
import { TableHead } from './table-head.tsx';
import { byDay, byModel, type UsageRow } from './usage.ts';

const DAYS = 30;
const EVERY_MS = 30_000;
const BAR = 10;
const HEIGHT = 96;

/** What the tenant has used and spent in the last month. */
export function UsagePanel({ api }: { api: Api }) {
  const [rows, setRows] = useState<readonly UsageRow[]>([]);
  useEffect(() => {
    const path = '/v1/usage?all=true&by=day,model';
    const load = () => attempt(async () => setRows((await api.json<{ data: UsageRow[] }>(path)).data));
    load();
    const timer = setInterval(load, EVERY_MS);
    return () => clearInterval(timer);
  }, [api]);
  const models = byModel(rows);
  const days = byDay(rows, Date.now(), DAYS);
  const total = models.reduce((sum, { cost_usd: cost }) => sum + cost, 0);
  const requests = models.reduce((sum, model) => sum + model.requests, 0);
  return (
    <section class="panel" aria-labelledby="usage">
      <h2 id="usage">{t('usage')}</h2>
      <div class="charts two">
        <Bars title={t('spent')} total={toDollars(total)} values={days.map(({ cost_usd: cost }) => cost)} />
        <Bars title={t('requests')} total={toNumber(requests)} values={days.map((day) => day.requests)} />
      </div>
      <div class="table-frame" tabIndex={0}>
        <table>
          <TableHead
            columns={['model', 'requests', 'errors', 'cacheHits', 'inputTokens', 'outputTokens', 'spent']}
          />
          <tbody>
            {models.map((row) => (
              <tr key={row.model}>
                <th scope="row">{row.model}</th>
                <td class="number">{toNumber(row.requests)}</td>
                <td class="number">{toNumber(row.errors)}</td>
                <td class="number">{toNumber(row.cache_hits)}</td>
                <td class="number">{toNumber(row.input_tokens)}</td>
                <td class="number">{toNumber(row.output_tokens)}</td>
                <td class="number">{toDollars(row.cost_usd)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {models.length === 0 && <p class="empty">{t('nothingYet')}</p>}
      </div>
    </section>
  );
}

function Bars({ title, total, values }: { title: string; total: string; values: readonly number[] }) {
  const top = Math.max(...values) || 1;
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <b>{total}</b>
      </figcaption>
      <svg
        viewBox={`0 0 ${values.length * BAR} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}, ${t('lastDays')}: ${total}`}
      >
        <path class="grid" d={`M0 ${HEIGHT - 0.5}H${values.length * BAR}`} />
        {values.map((value, index) => {
          const height = (value / top) * (HEIGHT - 4);
          return (
            <rect
              key={index - values.length}
              class="bar"
              x={index * BAR + 1.5}
              y={HEIGHT - height}
              width={BAR - 3}
              height={height}
            />
          );
        })}
      </svg>
      <small>{t('lastDays')}</small>
    </figure>
  );
}

function toDollars(value: number): string {
  return `$${value.toFixed(value > 0 && value < 0.1 ? 4 : 2)}`;
}
