export interface EdgewiseErrorOptions {
  /** A code of the error reference, `connection_lost`, or `unknown` when the answer named none. */
  code: string;
  /** The HTTP status; 0 when no answer arrived. */
  status: number;
  /** True when the same request may succeed later. */
  retryable: boolean;
  /** How long the server asks to wait before a retry, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** What caused the error. */
  cause?: unknown;
}

/**
 * Every failure that the client reports, except an abort by your own signal, which throws the signal's reason.
 * `message` is safe to show to people. `code` is stable: decide by it, never by the message.
 *
 * @example
 * try {
 *   for await (const chunk of client.chat(turn)) show(chunk);
 * } catch (error) {
 *   if (!(error instanceof EdgewiseError)) throw error;
 *   if (error.code === 'connection_lost') showRetryButton();
 *   else showMessage(error.message, { waitMs: error.retryAfterMs });
 * }
 */
export class EdgewiseError extends Error {
  /** A code of the error reference, `connection_lost` (the network failed for too long), or `unknown`. */
  readonly code: string;
  /** The HTTP status; 0 when no answer arrived. */
  readonly status: number;
  /** True when the same request may succeed later. The client has already retried as often as its policy allows. */
  readonly retryable: boolean;
  /** How long the server asks to wait before a retry, in milliseconds; `undefined` when it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, { code, status, retryable, retryAfterMs, cause }: EdgewiseErrorOptions) {
    super(message, { cause });
    this.name = 'EdgewiseError';
    this.code = code;
    this.status = status;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }

  /** From OpenAI's error object. An error inside a stream ends its turn, so it is not retryable. */
  static fromBody(
    body: { error?: { message?: string; code?: string | null } },
    status: number,
  ): EdgewiseError {
    const { message = 'The request failed.', code } = body.error ?? {};
    return new EdgewiseError(message, { code: code ?? 'unknown', status, retryable: false });
  }
}

/**
 * The error of an HTTP answer that is not a success, for calls that you make yourself. Reads the body.
 *
 * @example
 * const response = await fetch('https://chat.example.com/v1/models', { headers });
 * if (!response.ok) throw await readError(response);
 */
export async function readError(response: Response): Promise<EdgewiseError> {
  const { status, headers } = response;
  const body = await response.json().catch(() => ({}));
  const { message, code } = EdgewiseError.fromBody(body as object, status);
  const shouldRetry = headers.get('x-should-retry');
  const waitMs = Number(headers.get('retry-after-ms') ?? Number.NaN);
  return new EdgewiseError(message, {
    code,
    status,
    // A proxy in front of the edge does not set this header; its 5xx answers are worth a retry.
    retryable: shouldRetry === null ? status >= 500 : shouldRetry === 'true',
    retryAfterMs: Number.isFinite(waitMs) ? waitMs : undefined,
  });
}
