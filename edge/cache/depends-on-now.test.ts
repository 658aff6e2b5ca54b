import { expect, test } from 'vitest';
import { dependsOnNow } from './depends-on-now.ts';

test.each([
  ['What is the weather today?', 'time'],
  ['what time is it', 'time'],
  ['Who is the president of France?', 'news'],
  ['Where is the nearest branch?', 'place'],
  ['How much snow fell this winter? And the exchange rate?', 'news'],
  ['今天天气怎么样', 'time'],
  ['人民币汇率是多少', 'news'],
  ['附近有停车场吗', 'place'],
])('%s depends on %s', (question, on) => {
  expect(dependsOnNow(question)).toBe(on);
});

test.each([
  'How do I reset my password?',
  'What is the difference between TCP and UDP?',
  'Explain the water cycle.',
  'I know nothing about knowledge bases, where do I begin?',
  '如何重置密码？',
  '退货政策是什么',
  '请介绍一下你们的产品',
])('%s does not', (question) => {
  expect(dependsOnNow(question)).toBeUndefined();
});
