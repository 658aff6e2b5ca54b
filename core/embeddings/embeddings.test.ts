import { expect, test } from 'vitest';
import type { RejectedCount } from '../../shared/model/usage-check.ts';
import type { TargetModel } from '../models/target-model.ts';
import { createBreaker } from '../models/with-breaker.ts';
import { createEmbeddings } from './embeddings.ts';

function setUp(answer: () => Response) {
  const rejected: RejectedCount[] = [];
  const target = {
    target: {
      name: 'embed',
      upstream: { kind: 'openai', baseUrl: 'http://upstream.test/v1', apiKey: undefined },
      upstreamModel: 'embed-1',
      secrets: [],
      timeLimits: { connectMs: 1000, firstTokenMs: 1000, idleMs: 1000, totalMs: 1000 },
    },
    breaker: createBreaker({ failures: 3, openMs: 1000 }),
    scopes: [],
  } as unknown as TargetModel;
  const unused = () => {
    throw new Error('not called here');
  };
  const embeddings = createEmbeddings({
    targetsFor: () => ({ maxRetries: 0, targets: [{ target, untilMs: Date.now() + 1000 }] }),
    quota: { waiting: 0, admit: unused },
    retry: { wait: unused, random: unused },
    onUsageRejected: (count) => rejected.push(count),
    fetch: async () => answer(),
    now: () => Date.now(),
    newId: () => 'id',
  });
  const caller = { tenant: 't', priority: 'interactive' as const, deadlineMs: Date.now() + 10_000 };
  const ask = (input: string) =>
    embeddings.answer({ model: 'embed', input }, caller, new AbortController().signal);
  return { ask, rejected };
}

const TEXT = 'x'.repeat(400);

test.each(['1e18', '3e9', '1e308', '"7"', '-1', '0', '0.5'])(
  'a usage of %s is replaced by our own, and is counted',
  async (tokens) => {
    const { ask, rejected } = setUp(
      () => new Response(`{"data":[{"embedding":[1]}],"usage":{"prompt_tokens":${tokens}}}`),
    );
    expect((await ask(TEXT)).usage).toEqual({ prompt_tokens: 100, total_tokens: 100 });
    expect(rejected).toMatchObject([{ model: 'embed', operation: 'embeddings', tokenType: 'input' }]);
  },
);

test.each(['null', '"none"', '{}', '{"prompt_tokens":null}'])(
  'a usage that is %s says nothing, and the vectors are taken',
  async (usage) => {
    const { ask } = setUp(() => new Response(`{"data":[{"embedding":[1]}],"usage":${usage}}`));
    expect(await ask(TEXT)).toMatchObject({ data: [{ embedding: [1] }], usage: { total_tokens: 100 } });
  },
);

test('a usage that can be stands', async () => {
  const { ask } = setUp(() => Response.json({ data: [{ embedding: [1] }], usage: { prompt_tokens: 57 } }));
  expect((await ask(TEXT)).usage.total_tokens).toBe(57);
});
