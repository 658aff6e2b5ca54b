export interface EdgewiseErrorOptions {
  /** Our code, as `shared/errors.ts` lists them, or `connection_lost`. */
  code: string;
  /** The HTTP status; 0 when there was no answer. */
  status: number;
  /** Whether the same request may succeed later. */
  retryable: boolean;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

export class EdgewiseError extends Error {
  readonly code: string;
  readonly status: number;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, { code, status, retryable, retryAfterMs, cause }: EdgewiseErrorOptions) {
    super(message, { cause });
    this.name = 'EdgewiseError';
    this.code = code;
    this.status = status;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }

  /** From OpenAI's error object; an error inside a stream ends its turn, so it is not retried. */
  static fromBody(
    body: { error?: { message?: string; code?: string | null } },
    status: number,
  ): EdgewiseError {
    const { message = 'The request failed.', code } = body.error ?? {};
    return new EdgewiseError(message, { code: code ?? 'unknown', status, retryable: false });
  }
}

export async function readError(response: Response): Promise<EdgewiseError> {
  const { status, headers } = response;
  const body = await response.json().catch(() => ({}));
  const { message, code } = EdgewiseError.fromBody(body as object, status);
  const told = headers.get('x-should-retry');
  const waitMs = Number(headers.get('retry-after-ms') ?? Number.NaN);
  return new EdgewiseError(message, {
    code,
    status,
    // What stands between us and the edge says nothing of retries; its 5xx are worth one.
    retryable: told === null ? status >= 500 : told === 'true',
    retryAfterMs: Number.isFinite(waitMs) ? waitMs : undefined,
  });
}
