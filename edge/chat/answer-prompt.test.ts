import { expect, test } from 'vitest';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { answerTurn } from './answer-prompt.ts';

test('a model is asked once the turn has been told that it will be', async () => {
  const told = Promise.withResolvers<void>();
  const model = scriptedModel('light', [modelStart, textDelta('Hello'), turnEnd]);
  const turn = answerTurn({
    turnId: 'turn',
    request: { model: 'auto', messages: [{ role: 'user', content: 'hi' }], params: {} },
    models: { lightModel: 'light', open: () => model },
    plugins: { onAnswer: (inner) => inner, changesAnswers: false },
    timings: {},
    signal: new AbortController().signal,
    now: Date.now,
    onAsk: () => told.promise,
  });
  const first = turn.next();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(model.requests).toHaveLength(0);
  told.resolve();
  expect((await first).done).toBe(false);
  expect(model.requests).toHaveLength(1);
});
