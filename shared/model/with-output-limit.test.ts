import { expect, test } from 'vitest';
import { describeChatModel } from '../testing/chat-model-contract.ts';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../testing/scripted-model.ts';
import { readAll } from '../testing/streams.ts';
import type { ChatEvent, ChatModel } from './chat-model.ts';
import { withOutputLimit } from './with-output-limit.ts';

const countWords = async () => (text: string) => text.split(' ').length;
const request = { model: 'm', messages: [], params: {} };
const limited = (steps: Parameters<typeof scriptedModel>[1], maxTokens: number) => {
  return withOutputLimit(scriptedModel('inner', steps), maxTokens, 'o200k_base', countWords);
};

test('an answer within the limit is left alone', async () => {
  const model = limited([modelStart, textDelta('a b'), turnEnd], 3);
  expect(await readAll(model.stream(request, new AbortController().signal))).toEqual([
    modelStart,
    textDelta('a b'),
    turnEnd,
  ]);
});

test('an answer past the limit ends as cut by length, and its call is aborted', async () => {
  let isCancelled = false;
  const endless: ChatModel = {
    name: 'endless',
    stream: () =>
      new ReadableStream<ChatEvent>({
        start: (controller) => controller.enqueue(modelStart),
        pull: (controller) => controller.enqueue(textDelta('word')),
        cancel() {
          isCancelled = true;
        },
      }),
  };
  const model = withOutputLimit(endless, 5, 'o200k_base', countWords);
  const events = await readAll(model.stream(request, new AbortController().signal));
  expect(events).toHaveLength(7);
  expect(events.at(-1)).toEqual({ type: 'turn-end', finishReason: 'length' });
  await expect.poll(() => isCancelled).toBe(true);
});

describeChatModel('withOutputLimit', {
  answering: () => limited([modelStart, textDelta('a'), turnEnd], 9),
  silent: () => limited([modelStart, new Promise(() => undefined)], 9),
});
