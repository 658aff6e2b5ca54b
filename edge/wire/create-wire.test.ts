import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSse } from '../../shared/stream/sse.ts';
import { bytesOf, readAll, streamOf } from '../../shared/testing/streams.ts';
import { createWire, type WireRequest } from './create-wire.ts';
import { anyAnswer, encodeAll, modelStart, resultOf, turnEnd, turnOf } from './testing/turns.ts';

const context = { requestId: 'r1', ids: true, createdAt: 1000 };
const requests: WireRequest[] = [
  { kind: 'chat-completions', stream: true, includeUsage: true },
  { kind: 'responses', stream: true, responseId: 'resp_1', echo: { model: 'auto' } },
  { kind: 'ui-messages', stream: true },
];

test.each([
  ['chat-completions', { id: 'chatcmpl-t1', object: 'chat.completion' }],
  ['responses', { id: 'resp_1', object: 'response' }],
  ['ui-messages', { turnId: 't1', model: 'gpt' }],
])('the wire of kind %s makes its own body', (kind, body) => {
  const request = requests.find((one) => one.kind === kind) as WireRequest;
  const result = resultOf(turnOf([modelStart, { type: 'text-delta', text: 'a' }, turnEnd]));
  expect(createWire(request, context).body(result)).toMatchObject(body);
});

describe.each(requests)('on the wire of $kind', (request) => {
  test('a client that comes back after any event reads what it would have read', () => {
    fc.assert(
      fc.property(anyAnswer, (answer) => {
        const turn = turnOf(answer);
        const unbroken = encodeAll(createWire(request, context), turn);
        for (let seen = 0; seen <= turn.length; seen++) {
          // Only the first events were there when it left; it comes back to another isolate.
          const before = encodeAll(createWire(request, context), turn.slice(0, seen));
          const after = encodeAll(createWire(request, context), turn).slice(seen);
          expect([...before, ...after]).toEqual(unbroken);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('two readers of one turn do not disturb each other', () => {
    fc.assert(
      fc.property(anyAnswer, fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), (answer, order) => {
        const turn = turnOf(answer);
        const wire = createWire(request, context);
        const unbroken = encodeAll(wire, turn);
        const readers = [wire.encoder('t1'), wire.encoder('t1')].map((encoder) => ({
          encoder,
          texts: [] as string[],
        }));
        const step = (reader: (typeof readers)[number] | undefined) => {
          const event = turn[reader?.texts.length ?? turn.length];
          if (reader && event) reader.texts.push(reader.encoder.encode(event));
        };
        for (const isFirst of order) step(readers[isFirst ? 0 : 1]);
        for (const reader of readers) {
          while (reader.texts.length < turn.length) step(reader);
          expect(reader.texts).toEqual(unbroken);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('every event that has an id has that of its number, in rising order', async () => {
    await fc.assert(
      fc.asyncProperty(anyAnswer, async (answer) => {
        const turn = turnOf(answer);
        const bytes = bytesOf(encodeAll(createWire(request, context), turn).join(''));
        const ids = (await readAll(decodeSse(streamOf([bytes])))).map(({ id }) => id);
        const all = turn.map(({ seq }) => `t1:${seq}`);
        if (request.kind === 'chat-completions') {
          expect(ids).toEqual(all.filter((id) => ids.includes(id)));
          expect(ids.at(-1)).toBe(all.at(-1));
        } else expect(ids).toEqual(all);
      }),
      { numRuns: 30 },
    );
  });
});
