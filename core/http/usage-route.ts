/** `GET /v1/usage`: what was used, as JSON or CSV (RFC 4180). */
import * as v from 'valibot';
import { AppError } from '../../shared/errors.ts';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { UsageReports } from '../usage/usage-report.ts';
import { type UsageGroup, type UsageRow, usageGroups } from '../usage/usage-report.ts';
import type { CoreContext, CoreHandler } from './core-hono.ts';

const DAY_MS = 86_400_000;
const USUAL_DAYS = 30;
const MAX_DAYS = 366;

const day = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a day, as 2026-11-21'),
  v.check((value) => !Number.isNaN(Date.parse(value)), 'must be a day, as 2026-11-21'),
);
const schema = v.object({
  /** UTC; the last one is in it. */
  from: v.optional(day),
  to: v.optional(day),
  by: v.optional(v.string(), 'day,model'),
  /** Of all users of the tenant: scope `admin`. */
  all: v.optional(v.picklist(['true', 'false'], 'must be "true" or "false"'), 'false'),
});

export function usageRoute({ usage, now }: { usage: UsageReports; now: () => number }): CoreHandler {
  return async function readUsage(c) {
    const { from, to, by, all } = parseInput(schema, c.req.query());
    const { tenant, user, scopes } = c.get('request');
    if (all === 'true' && !scopes.includes('admin'))
      throw new AppError('insufficient_scope', { message: "'all' needs a token with the scope 'admin'." });
    const toMs = (to === undefined ? startOfDay(now()) : Date.parse(to)) + DAY_MS;
    const fromMs = from === undefined ? toMs - USUAL_DAYS * DAY_MS : Date.parse(from);
    if (fromMs >= toMs)
      throw new AppError('invalid_value', { param: 'from', message: "'from' is after 'to'." });
    if (toMs - fromMs > MAX_DAYS * DAY_MS)
      throw new AppError('invalid_value', { param: 'from', message: `At most ${MAX_DAYS} days at once.` });
    const groups = parseGroups(by);
    const rows = await usage.read({
      tenant,
      user: all === 'true' ? undefined : user,
      fromMs,
      toMs,
      by: groups,
    });
    return wantsCsv(c) ? toCsv(rows, groups) : c.json({ object: 'list', data: rows });
  };
}

function parseGroups(by: string): UsageGroup[] {
  const groups = by.split(',').filter((name) => name !== '');
  const wrong = groups.find((name) => !(usageGroups as readonly string[]).includes(name));
  if (wrong === undefined && groups.length > 0) return [...new Set(groups)] as UsageGroup[];
  throw new AppError('invalid_value', {
    param: 'by',
    message: `Invalid value for 'by': must be some of ${usageGroups.join(', ')}.`,
  });
}

function startOfDay(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}

function wantsCsv(c: CoreContext): boolean {
  return c.req.header('accept')?.includes('text/csv') ?? false;
}

function toCsv(rows: UsageRow[], groups: UsageGroup[]): Response {
  const names = [
    ...groups,
    'requests',
    'errors',
    'cache_hits',
    'input_tokens',
    'output_tokens',
    'cached_input_tokens',
    'cost_usd',
  ] as (keyof UsageRow)[];
  const lines = [names.join(','), ...rows.map((row) => names.map((name) => toField(row[name])).join(','))];
  const headers = { 'content-type': 'text/csv; charset=utf-8', 'cache-control': 'no-store' };
  return new Response(`${lines.join('\r\n')}\r\n`, { headers });
}

/** A field that begins as a formula is none (OWASP, "CSV Injection"). */
function toField(value: string | number | undefined): string {
  const text = String(value ?? '');
  const plain = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
