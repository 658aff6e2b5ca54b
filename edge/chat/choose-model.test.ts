import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../shared/model/chat-model.ts';
import { chooseModel } from './choose-model.ts';

const choose = (
  content: string,
  { model = 'auto', params = {} as JsonObject, rounds = 0, light = true } = {},
) =>
  chooseModel(
    { model, messages: [{ role: 'user', content }], params },
    { lightModel: light ? 'tiny' : undefined, earlierRounds: rounds },
  );

describe('auto', () => {
  test.each([
    'hi',
    'What is the capital of France?',
    'Thanks!',
    '你好',
    '法国的首都是哪里？',
    'Translate "good morning" into Spanish',
  ])('keeps at the edge: %s', (text) =>
    expect(choose(text)).toEqual({ route: { place: 'edge', reason: 'short and simple' }, model: 'tiny' }),
  );

  test.each([
    ['Prove that the square root of 2 is irrational', 'reasoning'],
    ['请逐步推导这个公式', 'reasoning'],
    ['Why does this fail?\n```js\nfoo()\n```', 'code'],
    ['写一个函数来排序', 'code'],
    ['What is a? And b? And c?', 'several questions'],
    ['word '.repeat(200), 'long prompt'],
    ['字'.repeat(250), 'long prompt'],
  ])('sends to the core: %s', (text, reason) => {
    expect(choose(text)).toEqual({ route: { place: 'core', reason }, model: 'auto' });
  });

  test.each<[string, object, string]>([
    ['tools', { params: { tools: [{ type: 'function' }] } }, 'tools'],
    ['a JSON schema', { params: { response_format: { type: 'json_schema' } } }, 'structured output'],
    ['a long answer', { params: { max_tokens: 4000 } }, 'long answer'],
    ['effort', { params: { reasoning_effort: 'high' } }, 'reasoning effort'],
    ['a long conversation', { rounds: 20 }, 'long conversation'],
  ])('sends to the core what asks for %s', (_name, options, reason) => {
    expect(choose('hi', options).route).toEqual({ place: 'core', reason });
  });

  test('sends images to the core', () => {
    const content = [{ type: 'image_url', image_url: { url: 'data:,' } }];
    const choice = chooseModel(
      { model: 'auto', messages: [{ role: 'user', content }], params: {} },
      { lightModel: 'tiny', earlierRounds: 0 },
    );
    expect(choice.route.reason).toBe('images or files');
  });

  test('has no choice without a light model', () => {
    expect(choose('hi', { light: false })).toEqual({
      route: { place: 'core', reason: 'no light model' },
      model: 'auto',
    });
  });
});

test.each([
  ['fast', true, 'edge', 'tiny'],
  ['fast', false, 'core', 'fast'],
  ['smart', true, 'core', 'smart'],
  ['tiny', true, 'edge', 'tiny'],
  ['gpt-5', true, 'core', 'gpt-5'],
])('%s is obeyed (light model: %s)', (model, light, place, asked) => {
  expect(choose('Prove this.', { model, light })).toMatchObject({ route: { place }, model: asked });
});
