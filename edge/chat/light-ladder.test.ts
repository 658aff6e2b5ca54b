import { expect, test } from 'vitest';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import type { ChatEvent, ChatRequest } from '../../shared/model/chat-model.ts';
import { roughTokens } from '../../shared/model/token-count.ts';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import { lightRoom } from '../models/model-catalog.ts';
import type { ModelChoice } from '../models/model-choice.ts';
import { createLightLadder } from './light-ladder.ts';

const prompt = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'tiny',
  messages: [{ role: 'user', content: 'hi' }],
  params: {},
  ...more,
});
const route = { place: 'edge' as const, reason: 'short and simple' };
const failing = (code: ErrorCode): ChatEvent[] => [{ type: 'error', error: new AppError(code).toInfo() }];

async function ask(
  request: ChatRequest,
  lightEvents: ChatEvent[] = [modelStart, textDelta('light'), turnEnd],
  choice: ModelChoice = { route, model: 'tiny' },
) {
  const light = scriptedModel('tiny', lightEvents);
  const core = scriptedModel('core', [modelStart, textDelta('core'), turnEnd]);
  const ladder = createLightLadder(
    { light, core, room: lightRoom('tiny'), loadCounter: async () => roughTokens },
    choice,
  );
  const events = await readAll(ladder.stream(request, new AbortController().signal));
  const text = events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
  const last = events.at(-1);
  return { text, error: last?.type === 'error' ? last.error.code : undefined, light, core };
}

test('a plain question is the light model’s', async () => {
  const { text, core } = await ask(prompt());
  expect(text).toBe('light');
  expect(core.requests).toHaveLength(0);
});

test.each<[string, Partial<ChatRequest>]>([
  ['tools', { params: { tools: [{ type: 'function', function: { name: 'f' } }] } }],
  [
    'an image',
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }] },
  ],
  ['structured output', { params: { response_format: { type: 'json_schema', json_schema: {} } } }],
  ['more room than it has', { messages: [{ role: 'user', content: 'word '.repeat(20_000) }] }],
  ['an answer longer than its room', { params: { max_tokens: 9000 } }],
])('what needs %s is the core’s, and the light model is not asked', async (_name, more) => {
  const { text, light, core } = await ask(prompt(more));
  expect(text).toBe('core');
  expect(light.requests).toHaveLength(0);
  expect(core.requests[0]?.model).toBe('auto');
});

test.each<ErrorCode>([
  'upstream_rejected',
  'upstream_model_missing',
  'upstream_unavailable',
  'connect_timeout',
  'context_length_exceeded',
  'upstream_auth_failed',
])('when the light model fails with %s, the core answers', async (code) => {
  expect((await ask(prompt(), failing(code))).text).toBe('core');
});

test('when the client disconnects, nobody else is asked', async () => {
  const { error, core } = await ask(prompt(), failing('cancelled'));
  expect(error).toBe('cancelled');
  expect(core.requests).toHaveLength(0);
});

test('fast goes to the core’s own fast', async () => {
  const choice: ModelChoice = { route, model: 'tiny', wish: 'fast' };
  const { core } = await ask(prompt(), failing('upstream_rejected'), choice);
  expect(core.requests[0]?.model).toBe('fast');
});

test('if a request names the light model, only that model is used, whatever the route says of its reason', async () => {
  const choice: ModelChoice = { route, model: 'tiny', wish: 'by-name' };
  const { error, core } = await ask(prompt(), failing('upstream_rejected'), choice);
  expect(error).toBe('upstream_rejected');
  expect(core.requests).toHaveLength(0);
});
