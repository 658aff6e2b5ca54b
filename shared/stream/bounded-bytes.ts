/** Reading no more of a body than it may have, counted after its compression is undone. */

/** More came than may. */
export class TooLargeError extends Error {
  constructor(what: string, bound: string) {
    super(`${what} is larger than ${bound}`);
    this.name = 'TooLargeError';
  }
}

/**
 * The bytes of a body, up to a bound. What is over it is not read, and the body is cancelled.
 * @throws TooLargeError from the reader of the stream
 */
export function boundedBytes(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let bytes = 0;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        bytes += value.byteLength;
        if (bytes > maxBytes) {
          void reader.cancel().catch(() => undefined);
          throw new TooLargeError('the answer', `${maxBytes} bytes`);
        }
        controller.enqueue(value as Uint8Array<ArrayBuffer>);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** A response with a bound on its body. @throws TooLargeError from whoever reads it */
export function boundedResponse({ body, status, headers }: Response, maxBytes: number): Response {
  return new Response(body && boundedBytes(body, maxBytes), { status, headers });
}

/**
 * A JSON body of a bounded size.
 * @throws TooLargeError, SyntaxError
 */
export async function readBoundedJson(response: Response, maxBytes: number): Promise<unknown> {
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  // What says its length, and is not compressed, is bounded by the platform; most answers are.
  const isKnown = length <= maxBytes && !response.headers.has('content-encoding');
  return (isKnown ? response : boundedResponse(response, maxBytes)).json();
}
