import { describe, expect, test } from 'vitest';
import { bytesOf, seededRandom, streamOf } from '../testing/streams.ts';
import { decodeSse, encodeSse, encodeSseComment, MAX_SSE_EVENT_CHARS, type SseMessage } from './sse.ts';

async function decode(chunks: Uint8Array[]): Promise<SseMessage[]> {
  const messages: SseMessage[] = [];
  for await (const message of decodeSse(streamOf(chunks))) messages.push(message);
  return messages;
}

describe('encodeSse', () => {
  test.each([
    'plain',
    '',
    'two\nlines',
    'lone\rCR',
    'CR\r\nLF',
    '\n',
    '\r',
    '\n\n\n',
    'data: fake\n\nevent: fake',
    'line separator \u2028 and \u2029',
    'NUL \u0000',
    'emoji 😀 你好',
    ': comment?',
    ' leading space',
  ])('makes exactly one event of %j', async (data) => {
    const decoded = await decode([bytesOf(encodeSse({ data, event: 'e', id: '1' }))]);
    expect(decoded).toHaveLength(1);
    expect(decoded[0]).toMatchObject({ data: data.replace(/\r\n|\r/g, '\n'), event: 'e', id: '1' });
  });

  test('makes exactly one event of any text', async () => {
    const random = seededRandom(7);
    const alphabet = ['a', '\r', '\n', ':', ' ', 'data', 'id', '\u0000', '\u2028', '😀', '\ufeff', 'ü'];
    for (let run = 0; run < 300; run++) {
      const data = Array.from({ length: random(12) }, () => alphabet[random(alphabet.length)]).join('');
      const decoded = await decode([bytesOf(encodeSse({ data }) + encodeSse({ data: 'next' }))]);
      expect(decoded.map((message) => message.data)).toEqual([data.replace(/\r\n|\r/g, '\n'), 'next']);
    }
  });

  test('refuses a name or an id that would break the line', () => {
    expect(() => encodeSse({ data: '', id: '1\ndata: x' })).toThrow(TypeError);
    expect(() => encodeSse({ data: '', event: 'a\rb' })).toThrow(TypeError);
    expect(() => encodeSseComment('a\nb')).toThrow(TypeError);
  });

  test('a comment is one line, and ends no event', async () => {
    expect(encodeSseComment('ping')).toBe(': ping\n');
    const events =
      encodeSse({ id: '1', data: 'a' }) + encodeSseComment('ping') + encodeSse({ id: '2', data: 'b' });
    expect(await decode([bytesOf(events)])).toMatchObject([
      { id: '1', data: 'a' },
      { id: '2', data: 'b' },
    ]);
  });
});

describe('decodeSse', () => {
  const bytes = bytesOf(
    ': hello\r\nid: 1\r\ndata: 你好 😀\r\n\r\n: ping\n\nevent: x\ndata: a\ndata: b\n\ndata: c\r\rdata: cut',
  );

  test('gives the same events however the bytes are cut in two', async () => {
    const whole = await decode([bytes]);
    expect(whole.map(({ data }) => data)).toEqual(['你好 😀', 'a\nb', 'c']);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(await decode([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
    }
  });

  test('gives the same events one byte at a time', async () => {
    const whole = await decode([bytes]);
    expect(await decode(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  test('bounds its memory', async () => {
    const piece = bytesOf('x'.repeat(MAX_SSE_EVENT_CHARS / 32));
    const endless = streamOf([bytesOf('data: '), ...Array.from({ length: 40 }, () => piece)]);
    const reading = (async () => {
      for await (const _ of decodeSse(endless)) throw new Error('there is no event');
    })();
    await expect(reading).rejects.toMatchObject({ type: 'max-buffer-size-exceeded' });
  });
});
