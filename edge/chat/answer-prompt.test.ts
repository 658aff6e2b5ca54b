import { expect, test } from 'vitest';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { answerTurn } from './answer-prompt.ts';

test('the model is called after the turn knows that it will be', async () => {
  const known = Promise.withResolvers<void>();
  const model = scriptedModel('light', [modelStart, textDelta('Hello'), turnEnd]);
  const turn = answerTurn({
    turnId: 'turn',
    request: { model: 'auto', messages: [{ role: 'user', content: 'hi' }], params: {} },
    models: { lightModel: 'light', open: () => model },
    plugins: { onAnswer: (inner) => inner, changesAnswers: false },
    timings: {},
    signal: new AbortController().signal,
    now: Date.now,
    onAsk: () => known.promise,
  });
  const first = turn.next();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(model.requests).toHaveLength(0);
  known.resolve();
  expect((await first).done).toBe(false);
  expect(model.requests).toHaveLength(1);
});
