import { expect, test } from 'vitest';
import { bytesOf, streamOf } from '../testing/streams.ts';
import { boundedResponse, readBoundedJson, TooLargeError } from './bounded-bytes.ts';

/** A body without an end; how much of it was asked for. */
function endless() {
  const asked = { bytes: 0, isCancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        asked.bytes += 1000;
        controller.enqueue(new Uint8Array(1000).fill(32));
      },
      cancel() {
        asked.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, asked };
}

test('a body is read to its bound and no further', async () => {
  const { body, asked } = endless();
  await expect(boundedResponse(new Response(body), 5500).text()).rejects.toThrow(TooLargeError);
  expect(asked.bytes).toBeLessThanOrEqual(8000);
  expect(asked.isCancelled).toBe(true);
});

test('a body within its bound comes whole, with its status and headers', async () => {
  const response = new Response(streamOf([bytesOf('{"a":'), bytesOf('1}')]), {
    status: 201,
    headers: { 'x-a': 'b' },
  });
  const bounded = boundedResponse(response, 7);
  expect([bounded.status, bounded.headers.get('x-a'), await bounded.text()]).toEqual([201, 'b', '{"a":1}']);
});

test('JSON is bounded, whether it says its length or not', async () => {
  expect(await readBoundedJson(new Response('{"a":1}', { headers: { 'content-length': '7' } }), 7)).toEqual({
    a: 1,
  });
  expect(await readBoundedJson(new Response('{"a":1}'), 7)).toEqual({ a: 1 });
  await expect(readBoundedJson(new Response('{"a":1}'), 6)).rejects.toThrow(TooLargeError);
  const said = new Response('{"a":1}', { headers: { 'content-length': '7' } });
  await expect(readBoundedJson(said, 6)).rejects.toThrow(TooLargeError);
  // A length that is the compressed one bounds nothing.
  const packed = new Response(endless().body, {
    headers: { 'content-length': '7', 'content-encoding': 'gzip' },
  });
  await expect(readBoundedJson(packed, 5000)).rejects.toThrow(TooLargeError);
});
