import { expect, test } from 'vitest';
import type { ChatEvent } from '../model/chat-model.ts';
import { encodeSseComment } from '../stream/sse.ts';
import { modelStart, textDelta, turnEnd } from '../testing/scripted-model.ts';
import { bytesOf, readAll, streamOf } from '../testing/streams.ts';
import { decodeGenerationEvents, encodeGenerationEvent } from './generation-protocol.ts';

const events: ChatEvent[] = [
  modelStart,
  textDelta('你好\r\n😀\u2028'),
  { type: 'tool-call-delta', index: 0, id: 'c', name: 'f', arguments: '{"a":"\\n"}' },
  { type: 'usage', usage: { inputTokens: 1, outputTokens: 2, estimated: false } },
  turnEnd,
];
const numbered = events.map((event, seq) => ({ seq, event }));
const bytes = bytesOf(
  encodeSseComment('ping') + numbered.map(encodeGenerationEvent).join(encodeSseComment('')),
);
const decode = (chunks: Uint8Array[]) => readAll(decodeGenerationEvents(streamOf(chunks)));

test('events come back as they were, however the bytes are cut', async () => {
  expect(await decode(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(numbered);
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(await decode([bytes.subarray(0, cut), bytes.subarray(cut)]), `cut at ${cut}`).toEqual(numbered);
  }
});

test.each([
  'id: 1\ndata: hello\n\n',
  'id: 1\ndata: null\n\n',
  'id: 1\ndata: []\n\n',
  'id: 1\ndata: {"type":"unheard-of"}\n\n',
  'id: 1\ndata: {"type":"toString"}\n\n',
  'data: {"type":"turn-end"}\n\n',
  'id:\ndata: {"type":"turn-end"}\n\n',
  'id: -1\ndata: {"type":"turn-end"}\n\n',
  'id: 1e1\ndata: {"type":"turn-end"}\n\n',
  'id: 99999999999999999999\ndata: {"type":"turn-end"}\n\n',
])('%j is upstream_invalid', async (text) => {
  await expect(decode([bytesOf(text)])).rejects.toMatchObject({ code: 'upstream_invalid' });
});

test('an error with a code that nobody knows is an internal one', async () => {
  const text = 'id: 0\ndata: {"type":"error","error":{"code":"rm -rf","message":"at 10.0.0.1"}}\n\n';
  const [first] = await decode([bytesOf(text)]);
  expect(first).toMatchObject({ seq: 0, event: { type: 'error', error: { code: 'internal_error' } } });
  expect(JSON.stringify(first)).not.toContain('10.0.0.1');
});
