import { t } from './admin-words.ts';
import type { ChartData } from './history.ts';

const WIDTH = 320;
const HEIGHT = 96;
/** More lines than this cannot be told apart. */
const MAX_LINES = 6;

/** One family of metrics over the last minutes; its largest lines. */
export function Chart({ data }: { data: ChartData }) {
  const { name, help, type, lines, times } = data;
  const shown = [...lines]
    .map(([line, values]) => ({
      line,
      values,
      last: values.at(-1),
      largest: Math.max(0, ...values.filter(isNumber)),
    }))
    .sort((a, b) => b.largest - a.largest)
    .slice(0, MAX_LINES);
  const top = Math.max(...shown.map(({ largest }) => largest), 0) || 1;
  const unit = unitOf(name, type);
  const title = titleOf(name);
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <span>{unit.note}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}. ${help} ${t('most')}: ${unit.write(top)}`}
      >
        <path class="grid" d={`M0 ${HEIGHT - 0.5}H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 .5H${WIDTH}`} />
        {shown.map(({ line, values }, index) => (
          <path key={line} class={`line line-${index}`} d={toPath(values, top, times.length)} />
        ))}
      </svg>
      <ul>
        {shown.map(({ line, last }, index) => (
          <li key={line}>
            <span class={`key line-${index}`} />
            <span class="line-name">{line || title}</span>
            <b>{last === undefined ? '–' : unit.write(last)}</b>
          </li>
        ))}
        {shown.length === 0 && <li class="empty">{t('nothingYet')}</li>}
      </ul>
    </figure>
  );
}

export function toPath(values: readonly (number | undefined)[], top: number, count: number): string {
  const step = WIDTH / Math.max(1, count - 1);
  let path = '';
  let pen = 'M';
  values.forEach((value, index) => {
    if (value === undefined) {
      pen = 'M';
      return;
    }
    const y = HEIGHT - 1 - (Math.min(value, top) / top) * (HEIGHT - 4);
    path += `${pen}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  });
  return path;
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}

/** `edgewise_cache_hits_total` -> "Cache hits" */
function titleOf(name: string): string {
  const words = name
    .replace(/^(?:edgewise|gen_ai)_/, '')
    .replace(/(?:_(?:total|seconds|bytes|usd|dollars))+$/, '')
    .replaceAll('_', ' ');
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function unitOf(name: string, type: string): { note: string; write: (value: number) => string } {
  const isTime = /_seconds(?:_|$)/.test(name);
  const isMoney = /_(?:usd|dollars)(?:_|$)/.test(name);
  const write = (value: number) => {
    if (isTime) return value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(2)} s`;
    const number =
      value >= 100
        ? value.toFixed(0)
        : value >= 1
          ? value.toFixed(1)
          : value.toPrecision(2).replace(/^0\.0+$/, '0');
    return isMoney ? `$${number}` : number.replace(/\.0$/, '');
  };
  if (type === 'counter') return { note: t('perSecond'), write };
  return { note: type === 'histogram' ? t('percentile') : t('now'), write };
}
