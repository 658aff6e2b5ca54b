import { describe, expect, test } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import { useFakeTimers } from '../../shared/testing/fake-timers.ts';
import { createEmbeddingBatches, type Embedded } from './embedding-batches.ts';

const timers = useFakeTimers();
const limits = { maxDelayMs: 5, maxTexts: 256, maxChars: 100_000 };
const vectorOf = (text: string) => [
  text.length,
  ...[...text].map((character) => character.codePointAt(0) ?? 0),
];
const never = () => new AbortController().signal;

function setUp(more: Partial<typeof limits> = {}, fail?: (texts: string[]) => AppError | undefined) {
  const calls: string[][] = [];
  let aborted = 0;
  const batches = createEmbeddingBatches({
    ...limits,
    ...more,
    async embed(_, texts, signal): Promise<Embedded> {
      calls.push(texts);
      const { promise: gone, reject } = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => {
        aborted++;
        reject(new AppError('cancelled'));
      });
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 20)), gone]);
      const error = fail?.(texts);
      if (error) throw error;
      return { vectors: texts.map(vectorOf), tokens: texts.join('').length };
    },
  });
  return {
    batches,
    calls,
    get aborted() {
      return aborted;
    },
  };
}

test('1,000 calls at once are four upstream, and each gets its own vectors in its own order', async () => {
  const { batches, calls } = setUp();
  const asked = Array.from({ length: 1000 }, (_, index) => [`text ${index}`]);
  const answers = await timers.run(Promise.all(asked.map((texts) => batches.embed('g', texts, never()))));
  expect(calls).toHaveLength(4);
  expect(calls.every((texts) => texts.length <= 256)).toBe(true);
  for (const [index, { vectors }] of answers.entries()) expect(vectors).toEqual(asked[index]?.map(vectorOf));
});

test('calls of several texts keep their order, whoever’s are between them', async () => {
  const { batches, calls } = setUp({ maxTexts: 7 });
  const asked = Array.from({ length: 50 }, (_, call) =>
    Array.from({ length: (call % 5) + 1 }, (_, index) => `${call}/${index}`),
  );
  const answers = await timers.run(Promise.all(asked.map((texts) => batches.embed('g', texts, never()))));
  for (const [index, { vectors }] of answers.entries()) expect(vectors).toEqual(asked[index]?.map(vectorOf));
  expect(calls.flat()).toHaveLength(150);
});

test('a text that is on its way is not asked for twice', async () => {
  const { batches, calls } = setUp();
  const first = batches.embed('g', ['same', 'other'], never());
  await timers.advance(12);
  const [one, two] = await timers.run(Promise.all([first, batches.embed('g', ['same', 'same'], never())]));
  expect(calls).toEqual([['same', 'other']]);
  expect(two.vectors).toEqual([vectorOf('same'), vectorOf('same')]);
  expect(one.vectors[0]).toEqual(two.vectors[0]);
  await timers.run(batches.embed('g', ['same'], never()));
  expect(calls).toHaveLength(2);
});

test('what differs in model or size goes apart', async () => {
  const { batches, calls } = setUp();
  await timers.run(Promise.all([batches.embed('a', ['x'], never()), batches.embed('b', ['x'], never())]));
  expect(calls).toEqual([['x'], ['x']]);
});

test('a call is bounded by its characters', async () => {
  const { batches, calls } = setUp({ maxChars: 10 });
  await timers.run(batches.embed('g', ['12345', '1234', '123456', '1', 'x'.repeat(50)], never()));
  for (const texts of calls) expect(texts.length === 1 || texts.join('').length <= 10).toBe(true);
});

describe('a failure', () => {
  test.each(['upstream_rejected', 'context_length_exceeded'] as const)(
    '%s of one text fails only those who asked for it',
    async (code) => {
      const bad = new AppError(code);
      const { batches } = setUp({}, (texts) => (texts.includes('bad') ? bad : undefined));
      const asked = Array.from({ length: 20 }, (_, index) => (index === 7 ? 'bad' : `good ${index}`));
      const settled = await timers.run(
        Promise.allSettled(asked.map((text) => batches.embed('g', [text], never()))),
      );
      for (const [index, { status }] of settled.entries())
        expect(status).toBe(index === 7 ? 'rejected' : 'fulfilled');
    },
  );

  test('of the upstream is everybody’s, and is not asked again here', async () => {
    const { batches, calls } = setUp({}, () => new AppError('upstream_error'));
    const settled = await timers.run(
      Promise.allSettled(['a', 'b'].map((text) => batches.embed('g', [text], never()))),
    );
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(calls).toHaveLength(1);
  });

  test('that gives too few vectors is one', async () => {
    const batches = createEmbeddingBatches({ ...limits, embed: async () => ({ vectors: [[1]], tokens: 1 }) });
    const refused = timers.run(batches.embed('g', ['a', 'b'], never()));
    await expect(refused).rejects.toMatchObject({ code: 'upstream_invalid' });
  });
});

describe('who leaves', () => {
  test('does not disturb the others', async () => {
    const asking = setUp();
    const leave = new AbortController();
    const gone = asking.batches.embed('g', ['mine', 'shared'], leave.signal).catch((error) => error);
    const stays = asking.batches.embed('g', ['shared', 'other'], never());
    setTimeout(() => leave.abort(), 10);
    expect(await timers.run(gone)).toMatchObject({ code: 'cancelled' });
    expect((await timers.run(stays)).vectors).toEqual([vectorOf('shared'), vectorOf('other')]);
    expect(asking.aborted).toBe(0);
  });

  test('as the last one ends the call; before it began there is none', async () => {
    const asking = setUp();
    const leave = new AbortController();
    const early = asking.batches.embed('g', ['a'], leave.signal).catch((error) => error);
    leave.abort();
    await early;
    await timers.advance(15);
    expect(asking.calls).toHaveLength(0);
    const late = new AbortController();
    const slow = createEmbeddingBatches({
      ...limits,
      embed: (_, texts, signal) =>
        new Promise((resolve, reject) => {
          asking.calls.push(texts);
          signal.addEventListener('abort', () => reject(new AppError('cancelled')));
          setTimeout(() => resolve({ vectors: texts.map(vectorOf), tokens: 1 }), 5000).unref();
        }),
    });
    const reading = slow.embed('g', ['b'], late.signal).catch((error) => error);
    await timers.advance(15);
    late.abort();
    expect(await timers.run(reading)).toMatchObject({ code: 'cancelled' });
    expect(asking.calls).toEqual([['b']]);
  });
});

test('tokens are shared out among the callers', async () => {
  const { batches } = setUp();
  const [one, two] = await timers.run(
    Promise.all([batches.embed('g', ['aaaa'], never()), batches.embed('g', ['bb', 'cc', 'dddd'], never())]),
  );
  expect([one.tokens, two.tokens]).toEqual([4, 8]);
});
