import { expect, test } from 'vitest';
import type { ChatModel } from '../../shared/model/chat-model.ts';
import { withFallback } from '../../shared/model/with-fallback.ts';
import { defaultTimeLimits, withTimeLimits } from '../../shared/model/with-time-limits.ts';
import { useFakeTimers } from '../../shared/testing/fake-timers.ts';
import {
  modelStart,
  type ScriptedModel,
  type Step,
  scriptedModel,
  textDelta,
  turnEnd,
} from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import { withRetry } from './with-retry.ts';

const timers = useFakeTimers();
const never = new Promise<never>(() => undefined);
const request = { model: 'smart', messages: [{ role: 'user' as const, content: 'hi' }], params: {} };
const BUDGET_MS = 20_000;

/** Takes no request, as an address that drops every packet does. */
const blackHole = () => scriptedModel('black', [never]);
const says = (text: string, ...before: Step[]) =>
  scriptedModel(text, [...before, modelStart, textDelta(text), turnEnd]);

/** As the core calls it: three tries, each within the usual limits. */
function asCalled(model: ChatModel): ChatModel {
  return withRetry(withTimeLimits(model, defaultTimeLimits), {
    maxRetries: 2,
    maxWaitMs: 10_000,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: () => 0.5,
  });
}

async function climb(...models: ScriptedModel[]) {
  const rungs = models.map((model) => ({ model: asCalled(model), canServe: () => true }));
  const startMs = Date.now();
  const { signal } = new AbortController();
  const events = await timers.run(readAll(withFallback('smart', rungs, BUDGET_MS).stream(request, signal)));
  const said = events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
  return {
    said,
    seconds: (Date.now() - startMs) / 1000,
    calls: models.map(({ requests }) => requests.length),
  };
}

test('two black holes cost the budget, not six connects', async () => {
  const { said, seconds, calls } = await climb(blackHole(), blackHole(), says('last'));
  expect({ said, calls }).toEqual({ said: 'last', calls: [1, 1, 1] });
  expect(seconds).toBeLessThanOrEqual(BUDGET_MS / 1000 + 0.1);
});

test('one black hole leaves its part to the next model', async () => {
  const { said, seconds } = await climb(blackHole(), says('second', 8000), says('last'));
  expect({ said, seconds }).toEqual({ said: 'second', seconds: 18 });
});

test('of many models each has a part', async () => {
  const holes = Array.from({ length: 8 }, blackHole);
  const { said, seconds, calls } = await climb(...holes, says('last'));
  expect({ said, calls }).toEqual({ said: 'last', calls: Array(9).fill(1) });
  expect(seconds).toBeLessThanOrEqual(BUDGET_MS / 1000 + 0.1);
});

test('a model that has taken the request may think as long as its own limit allows', async () => {
  const thinks = scriptedModel('thinks', [modelStart, 45_000, textDelta('thought'), turnEnd]);
  expect(await climb(thinks, says('last'))).toEqual({ said: 'thought', seconds: 45, calls: [1, 0] });
});

test('one that has taken the request and stays silent is the only one that is waited for', async () => {
  const silent = scriptedModel('silent', [modelStart, never]);
  const outcome = await climb(silent, says('second'), says('last'));
  expect(outcome).toEqual({ said: 'last', seconds: 60, calls: [1, 0, 1] });
});

test('pauses between tries count, too', async () => {
  const late = { code: 'upstream_overloaded' as const, message: '', retryable: true, retryAfterMs: 9000 };
  const outcome = await climb(
    scriptedModel('full', [{ type: 'error', error: late }]),
    says('second'),
    says('last'),
  );
  expect(outcome).toEqual({ said: 'second', seconds: 9, calls: [2, 1, 0] });
});

test('the last model has its own limits, whatever was taken before', async () => {
  const { said, seconds } = await climb(blackHole(), says('last', 9000));
  expect(said).toBe('last');
  expect(seconds).toBeLessThan(BUDGET_MS / 1000 + 9.5);
});
