import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeChatModel } from '../../shared/testing/chat-model-contract.ts';
import { readAll } from '../../shared/testing/streams.ts';
import { createExtractiveModel } from '../providers/extractive.ts';
import { createPassageIndex, type PassageIndex } from './passage-index.ts';
import { cutPassages, readPassages } from './passages.ts';

let index: PassageIndex;
beforeAll(async () => {
  index = createPassageIndex(await readPassages(join(import.meta.dirname, '../../infra/config/knowledge')));
});

test.each([
  ['What is Edgewise?', 'What is Edgewise?'],
  ['how can i get a token', 'How do I get a token?'],
  ['Which environment variable changes the port?', 'How do I change the ports or the data folder?'],
  [
    'my connection dropped, what happens to the answer?',
    'What happens when my connection drops in the middle of an answer?',
  ],
  ['I want to use Ollama', 'Can I use Azure, Qwen, DeepSeek, vLLM, Ollama or llama.cpp?'],
  ['how many rounds are sent to the model', 'How much of a conversation goes to the model?'],
  ['怎么得到令牌', '怎么得到令牌？'],
  ['断线了会怎么样', '回答到一半断线了怎么办？'],
  ['如何部署核心', '怎么部署核心？'],
  ['会话能存到 Redis 吗', '会话可以保存在 Redis 里吗？'],
])('%s', (question, heading) => {
  expect(index.find(question)?.passage.heading.split(' > ').at(-1)).toBe(heading);
});

test.each([
  'What is the capital of France?',
  'Write me a poem about autumn',
  '今天天气怎么样',
  '法国的首都是哪里',
  '',
  '???',
])('nothing is about: %s', (question) => expect(index.find(question)).toBeUndefined());

test('a heading inside a code fence is no heading', () => {
  const passages = cutPassages('d.md', '# A\n\ntext\n\n```sh\n# comment\nrun\n```\n\n## B\n\nmore\n');
  expect(passages.map(({ heading, text }) => [heading, text.split('\n')[0]])).toEqual([
    ['A', 'text'],
    ['A > B', 'more'],
  ]);
});

describe('the extractive model', () => {
  const ask = async (content: string) => {
    const request = { model: 'm', messages: [{ role: 'user' as const, content }], params: {} };
    const events = await readAll(createExtractiveModel(index).stream(request, new AbortController().signal));
    return events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
  };

  test('says first that no language model answered, and last where it quotes from', async () => {
    const answer = await ask('How do I get a token?');
    expect(answer).toMatch(/^No language model answered this\./);
    expect(answer).toContain('> Run `npm run --silent token -- --sub alice`.');
    expect(answer).toMatch(/Source: faq\.en\.md, ".*How do I get a token\?"$/);
  });

  test('speaks the language of the question', async () => {
    expect(await ask('怎么停止一个回答？')).toMatch(/^这条回答不是语言模型写的。/);
  });

  test('says so when it has nothing', async () => {
    expect(await ask('What is the capital of France?')).toBe(
      'No language model answered this, and the knowledge base holds no passage about your question.',
    );
  });
});

describeChatModel('the extractive model', { answering: () => createExtractiveModel(index) });
