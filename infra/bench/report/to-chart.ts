/** Horizontal bars as SVG, readable on light and dark pages: one chart for the README. */
import { toNumber } from './to-number.ts';

export interface Bar {
  label: string;
  value: number;
  /** Ours stands out. */
  isOurs: boolean;
}

export interface BarGroup {
  title: string;
  unit: string;
  bars: Bar[];
}

const WIDTH = 720;
const LABEL_WIDTH = 170;
const BAR_WIDTH = 400;
const BAR_HEIGHT = 18;
const STEP = 24;
const CAPTION = 'Edgewise beside bare Hono on workerd and a peer gateway, in one run';

export function toChart(groups: BarGroup[]): string {
  let y = 10;
  const parts: string[] = [];
  for (const { title, unit, bars } of groups) {
    y += 22;
    parts.push(`<text x="10" y="${y}" class="title">${escaped(title)}</text>`);
    y += 10;
    const longest = Math.max(...bars.map(({ value }) => value));
    for (const { label, value, isOurs } of bars) {
      const width = longest > 0 ? Math.max(1, (BAR_WIDTH * value) / longest) : 1;
      const middle = y + BAR_HEIGHT - 5;
      parts.push(
        `<text x="${LABEL_WIDTH - 8}" y="${middle}" text-anchor="end">${escaped(label)}</text>`,
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="3" class="${isOurs ? 'ours' : 'other'}"/>`,
        `<text x="${(LABEL_WIDTH + width + 8).toFixed(1)}" y="${middle}">${toNumber(value)} ${escaped(unit)}</text>`,
      );
      y += STEP;
    }
  }
  const height = y + 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${CAPTION}">
<title>${CAPTION}</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #57606a; }
.title { font-weight: 600; fill: #24292f; }
.ours { fill: #1f7a5c; } .other { fill: #b6bec8; }
@media (prefers-color-scheme: dark) { text { fill: #9aa4af; } .title { fill: #e6edf3; } .ours { fill: #3fb68b; } .other { fill: #4b5560; } }
</style>
${parts.join('\n')}
</svg>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
