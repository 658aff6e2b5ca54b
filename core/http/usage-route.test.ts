import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { UsageReports, UsageRow } from '../usage/usage-report.ts';
import { coreUnderTest } from './testing/core-under-test.ts';
import { usageRoute } from './usage-route.ts';

const row: UsageRow = {
  day: '2026-11-20',
  model: 'gpt',
  requests: 3,
  errors: 1,
  cache_hits: 0,
  input_tokens: 30,
  output_tokens: 12,
  cached_input_tokens: 0,
  cost_usd: 0.000014,
};
const read = vi.fn<UsageReports['read']>(async () => [row]);
const core = coreUnderTest({ usage: { read } }, (app, services) =>
  app.get('/v1/usage', usageRoute(services)),
);
const ann = { tenant: 'acme', user: 'ann' };
const get = (query: string, scopes: string[] = [], headers: Record<string, string> = {}) =>
  core.call('GET', `/v1/usage${query}`, { as: { ...ann, scopes }, headers });
beforeEach(() => {
  vi.clearAllMocks();
  read.mockResolvedValue([row]);
});

describe('GET /v1/usage', () => {
  test('reads the last 30 days of the user, by day and model', async () => {
    const response = await get('');
    expect(await response.json()).toEqual({ object: 'list', data: [row] });
    expect(read).toHaveBeenCalledExactlyOnceWith({
      ...ann,
      fromMs: Date.UTC(2026, 9, 23),
      toMs: Date.UTC(2026, 10, 22),
      by: ['day', 'model'],
    });
  });

  test('reads the days that are named, the last one included, and each group once', async () => {
    await get('?from=2026-11-01&to=2026-11-01&by=user,day,user');
    expect(read).toHaveBeenCalledExactlyOnceWith({
      ...ann,
      fromMs: Date.UTC(2026, 10, 1),
      toMs: Date.UTC(2026, 10, 2),
      by: ['user', 'day'],
    });
  });

  test('reads a whole leap year at once', async () => {
    expect((await get('?from=2024-01-01&to=2024-12-31')).status).toBe(200);
    expect((await get('?from=2024-01-01&to=2025-01-01')).status).toBe(400);
  });

  test("reads all users of the tenant with 'all' and the scope admin alone", async () => {
    const refused = await get('?all=true', ['batch']);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ error: { code: 'insufficient_scope' } });
    expect(read).not.toHaveBeenCalled();
    expect((await get('?all=true', ['admin'])).status).toBe(200);
    expect(read.mock.calls[0]?.[0]).toMatchObject({ tenant: 'acme', user: undefined });
  });

  test.each([
    ['?from=2026-11-2', 'from'],
    ['?to=2026-13-01', 'to'],
    ['?to=tomorrow', 'to'],
    ['?from=2026-11-02&to=2026-11-01', 'from'],
    ['?from=2025-01-01', 'from'],
    ['?by=tenant', 'by'],
    ['?by=', 'by'],
    ['?all=yes', 'all'],
  ])('%s returns 400 and names the field', async (query, param) => {
    const response = await get(query);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_value', param } });
    expect(read).not.toHaveBeenCalled();
  });
});

describe('as CSV', () => {
  test('has one header and one line for each row, ended by CRLF', async () => {
    const response = await get('', [], { accept: 'text/csv' });
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(await response.text()).toBe(
      'day,model,requests,errors,cache_hits,input_tokens,output_tokens,cached_input_tokens,cost_usd\r\n' +
        '2026-11-20,gpt,3,1,0,30,12,0,0.000014\r\n',
    );
  });

  test.each([
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['=1+1', "'=1+1"],
    ['-2,@x', `"'-2,@x"`],
    ['@sum', "'@sum"],
  ])('writes the model %j as %j', async (model, field) => {
    read.mockResolvedValue([{ ...row, model }]);
    const text = await (await get('?by=model', [], { accept: 'text/csv' })).text();
    expect(text.slice(text.indexOf('\r\n') + 2)).toBe(`${field},3,1,0,30,12,0,0.000014\r\n`);
  });
});
