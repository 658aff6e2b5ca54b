import { describe, expect, test } from 'vitest';
import type { ChatMessage } from './chat-model.ts';
import {
  COUNTED_CHARS_OF_REQUEST,
  countMessageTokens,
  countRequestTokens,
  messageTokenBound,
  tokenEncodingFor,
} from './token-count.ts';

const words = (text: string) => text.split(/\s+/).filter(Boolean).length;
const bytes = (text: string) => new TextEncoder().encode(text).length;
const call = { id: 'c', type: 'function' as const, function: { name: 'f', arguments: '{ }' } };
const custom = { id: 'c', type: 'custom', custom: { name: 'sql', input: 'select 1' } };

describe('countRequestTokens', () => {
  test('counts messages, tools and unknown texts, and nothing that steers', () => {
    const messages: ChatMessage[] = [{ role: 'user', content: 'one two' }];
    const params = { tools: [{ type: 'function' }], suffix: 'three four', user: 'ann', temperature: 1 };
    expect(countRequestTokens({ model: 'm', messages, params }, words)).toBe(3 + (3 + 1 + 2) + 1 + 2);
  });

  test('gives a tokenizer so much of many long messages, and estimates the rest from it', () => {
    let given = 0;
    const count = (text: string) => {
      given += text.length;
      return text.length / 2;
    };
    const messages = Array.from({ length: 100 }, () => ({
      role: 'user' as const,
      content: '1 1-'.repeat(2500),
    }));
    const tokens = countRequestTokens({ model: 'm', messages, params: {} }, count);
    expect(given).toBeLessThanOrEqual(COUNTED_CHARS_OF_REQUEST);
    expect(tokens / 500_000).toBeCloseTo(1, 2);
  });
});

describe('countMessageTokens', () => {
  test.each<[ChatMessage, number]>([
    [{ role: 'user', content: 'one two three' }, 3 + 1 + 3],
    [{ role: 'user', content: 'one', name: 'ann' }, 3 + 1 + 1 + 2],
    [{ role: 'tool', content: 'one', tool_call_id: 'c' }, 3 + 1 + 1 + 1],
    [{ role: 'assistant', content: null }, 3 + 1],
    [{ role: 'assistant' }, 3 + 1],
    [{ role: 'assistant', tool_calls: [call] }, 3 + 1 + (3 + 1 + 1 + 2)],
    [{ role: 'user', content: [{ type: 'text', text: 'one two' }] }, 3 + 1 + 2],
    [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }, 3 + 1 + 765],
  ])('%j', (message, tokens) => {
    expect(countMessageTokens(message, words)).toBe(tokens);
  });

  test('counts a call of a kind that it does not know', () => {
    const message = { role: 'assistant', content: null, tool_calls: [custom] } as unknown as ChatMessage;
    expect(countMessageTokens(message, bytes)).toBeGreaterThan(JSON.stringify(custom).length);
  });
});

test.each([
  'plain',
  'ümlaut',
  '你好',
  '😀😀',
  '\ud83d',
  '\ude00\ud83d',
  'a\ud83d',
  '\u07ff\u0800\uffff',
  '\u0000',
])('the bound without a tokenizer is the UTF-8 length of %j', (content) => {
  const bound = messageTokenBound({ role: 'user', content });
  expect(bound).toBe(countMessageTokens({ role: 'user', content }, bytes));
});

test.each([
  ['gpt-4o-mini', 'o200k_base'],
  ['gpt-4.1', 'o200k_base'],
  ['gpt-5.5-nano', 'o200k_base'],
  ['o3-mini', 'o200k_base'],
  ['openai/gpt-oss-20b', 'o200k_base'],
  ['gpt-4', 'cl100k_base'],
  ['gpt-4-turbo', 'cl100k_base'],
  ['gpt-3.5-turbo', 'cl100k_base'],
  ['gpt-35-turbo', 'cl100k_base'],
  ['ft:gpt-3.5-turbo:acme', 'cl100k_base'],
  ['meta-llama/Llama-3.3-70B', 'cl100k_base'],
  ['qwen3:8b', 'cl100k_base'],
  ['DeepSeek-V3', 'cl100k_base'],
  ['something-else', 'o200k_base'],
])('%s is counted with %s', (model, encoding) => {
  expect(tokenEncodingFor(model)).toBe(encoding);
});
