import { expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatRequest } from '../../shared/model/chat-model.ts';
import {
  modelStart,
  type Step,
  scriptedModel,
  textDelta,
  turnEnd,
} from '../../shared/testing/scripted-model.ts';
import type { Reservation, Settlement } from './limits.ts';
import { withLimits } from './with-limits.ts';

const never = new Promise<never>(() => undefined);
const request: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'hi' }], params: {} };
/** Tokens of the estimate that a request adds to {@link request}'s. */
const PLAIN_INPUT = 3 + 4 + 1;

function setUp(steps: Step[]) {
  const reserved: Reservation[] = [];
  const settled: Settlement[] = [];
  const model = withLimits(scriptedModel('m', steps), {
    limits: {
      async reserve(reservation) {
        reserved.push(reservation);
        return { granted: true };
      },
      settle(settlement) {
        settled.push(settlement);
        return undefined;
      },
    },
    id: 'id',
    tenant: 't',
    subjects: [],
    price: async () => ({ input: 2, output: 10 }),
    holdMs: 1000,
    isReserved: false,
    defer: () => undefined,
  });
  return { model, reserved, settled };
}

async function reserve(params: ChatRequest['params'], messages = request.messages): Promise<number> {
  const { model, reserved } = setUp([modelStart, turnEnd]);
  await model
    .stream({ ...request, messages, params }, new AbortController().signal)
    .getReader()
    .read();
  return reserved[0]?.tokens ?? Number.NaN;
}

/** Reads so many events and leaves. */
async function leaveAfter(events: number, steps: Step[], params: ChatRequest['params'] = {}) {
  const { model, settled } = setUp(steps);
  const reader = model.stream({ ...request, params }, new AbortController().signal).getReader();
  for (let count = 0; count < events; count++) await reader.read();
  const waiting = reader.read();
  await reader.cancel();
  await waiting;
  await vi.waitFor(() => expect(settled).toHaveLength(1));
  return settled[0];
}

test('the reservation has the whole body and the longest answers that it may be given', async () => {
  const usual = await reserve({});
  expect(usual).toBe(PLAIN_INPUT + 1024);
  const tools = [{ type: 'function', function: { name: 'f', parameters: { text: 'x'.repeat(800_000) } } }];
  expect(await reserve({ tools })).toBeGreaterThan(usual + 200_000);
  expect(await reserve({ unknown_field: 'x'.repeat(4000) })).toBeGreaterThanOrEqual(usual + 1000);
  expect(await reserve({ max_tokens: 5000, max_completion_tokens: 10 })).toBeGreaterThan(5000);
  expect(await reserve({ max_tokens: 10, max_completion_tokens: 5000 })).toBeGreaterThan(5000);
  expect(await reserve({ max_tokens: 1000, best_of: 20 })).toBeGreaterThan(20_000);
  expect(await reserve({ max_tokens: 1e300 })).toBeLessThan(2e7);
});

test('the reservation has what is beside the text of messages', async () => {
  const usual = await reserve({});
  const image = { type: 'image_url', image_url: { url: 'https://pictures.test/a.png' } };
  const audio = { type: 'input_audio', input_audio: { data: 'x'.repeat(1_000_000), format: 'mp3' } };
  const unknown = { type: 'input_words', words: 'x'.repeat(4000) };
  const added = async (part: object) =>
    (await reserve({}, [{ role: 'user', content: [{ type: 'text', text: 'hi' }, part as never] }])) - usual;
  expect(await added(image)).toBeGreaterThanOrEqual(765);
  expect(await added(audio)).toBeGreaterThanOrEqual(2000);
  expect(await added(unknown)).toBeGreaterThanOrEqual(1000);
  const call = { id: 'c', type: 'function' as const, function: { name: 'f', arguments: 'x'.repeat(4000) } };
  const called = await reserve({}, [{ role: 'assistant', content: null, tool_calls: [call] }]);
  expect(called).toBeGreaterThan(usual + 1000);
});

test('who leaves after the first word pays the whole prompt and what was said', async () => {
  const tools = [{ type: 'function', function: { name: 'x'.repeat(800_000) } }];
  const settlement = await leaveAfter(2, [modelStart, textDelta('word'), never], { tools });
  expect(settlement?.tokens).toBeGreaterThan(200_000);
  expect(settlement?.micros).toBeGreaterThan(400_000);
});

test.each<[string, ChatEvent]>([
  ['reasoning details', { type: 'extra-delta', fields: { reasoning_details: [{ text: 'x'.repeat(4000) }] } }],
  ['another field', { type: 'extra-delta', fields: { audio: { data: 'x'.repeat(4000) } } }],
  ['a call', { type: 'tool-call-delta', index: 0, name: 'f', arguments: 'x'.repeat(4000) }],
  ['thoughts', { type: 'reasoning-delta', text: 'x'.repeat(4000) }],
])('who leaves pays for what came as %s', async (_name, event) => {
  const settlement = await leaveAfter(2, [modelStart, event, never]);
  expect(settlement?.tokens).toBeGreaterThanOrEqual(PLAIN_INPUT + 1000);
});

test('what the core adds by itself is no output', async () => {
  const fields = { annotations: ['x'.repeat(4000)], edgewise: { continued_by: 'x'.repeat(4000) } };
  const settlement = await leaveAfter(2, [modelStart, { type: 'extra-delta', fields }, never]);
  expect(settlement?.tokens).toBe(PLAIN_INPUT);
});

test('who leaves before anything came pays the prompt, which the model may have', async () => {
  expect(await leaveAfter(0, [never])).toMatchObject({ tokens: PLAIN_INPUT, micros: PLAIN_INPUT * 2 });
});

test('a call that came to nothing costs nothing; one that reports costs what it reports', async () => {
  const fails = setUp([{ type: 'error', error: new AppError('upstream_unavailable').toInfo() }]);
  await fails.model.stream(request, new AbortController().signal).getReader().read();
  await vi.waitFor(() => expect(fails.settled).toMatchObject([{ tokens: 0, micros: 0 }]));
  const usage: ChatEvent = { type: 'usage', usage: { inputTokens: 5, outputTokens: 6, estimated: false } };
  const reports = setUp([modelStart, textDelta('a'), usage, turnEnd]);
  for await (const _ of reports.model.stream(request, new AbortController().signal));
  await vi.waitFor(() => expect(reports.settled).toMatchObject([{ tokens: 11, micros: 70 }]));
});
