import { expect, test } from 'vitest';
import { toDuration, toRateLimitHeaders } from './rate-limit-headers.ts';

test.each([
  [0, '0ms'],
  [119.2, '120ms'],
  [1000, '1s'],
  [1450, '1.5s'],
  [59_999, '60s'],
  [360_000, '6m0s'],
  [3_723_000, '1h2m3s'],
])('%d ms is %s', (ms, text) => {
  expect(toDuration(ms)).toBe(text);
});

test('both forms of headers say the same, and say nothing where there is no limit', () => {
  expect(toRateLimitHeaders({})).toEqual({});
  const requests = { limit: 60, remaining: 59, resetMs: 1000 };
  const tokens = { limit: 1000, remaining: 10, resetMs: 59_400 };
  expect(toRateLimitHeaders({ requests, tokens })).toEqual({
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '59',
    'x-ratelimit-reset-requests': '1s',
    'x-ratelimit-limit-tokens': '1000',
    'x-ratelimit-remaining-tokens': '10',
    'x-ratelimit-reset-tokens': '59.4s',
    'ratelimit-policy': '"requests";q=60;w=60, "tokens";q=1000;w=60',
    ratelimit: '"requests";r=59;t=1, "tokens";r=10;t=60',
  });
});
