/** One signed call of the core: what every client of its addresses has in common. */
import { AppError, type ErrorInfo, parseErrorInfo } from '../../shared/errors.ts';
import type { RequestContext } from '../../shared/request-context.ts';
import { signServiceToken } from '../../shared/service-token.ts';

export interface CoreCallOptions {
  url: string;
  serviceKey: Uint8Array;
  fetch: typeof fetch;
  /** Unix time in milliseconds. */
  now: () => number;
}

export interface CoreRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With its query. */
  path: string;
  /** JSON, unless `contentType` says something else; empty for none. */
  body?: string | Uint8Array<ArrayBuffer>;
  contentType?: string;
  accept?: string | undefined;
  signal?: AbortSignal;
}

/** @throws AppError what the core says, `core_unavailable`, or `cancelled` when the signal was aborted */
export type CoreCall = (context: RequestContext, request: CoreRequest) => Promise<Response>;

export function createCoreCall({ url, serviceKey, fetch: ask, now }: CoreCallOptions): CoreCall {
  return async function call(
    context,
    { method, path, body = '', contentType = 'application/json', accept, signal },
  ) {
    const token = await signServiceToken(serviceKey, context, { method, path, body }, now());
    const headers: Record<string, string> = {
      authorization: `Bearer ${token}`,
      'x-request-id': context.requestId,
    };
    if (accept !== undefined) headers.accept = accept;
    if (body !== '') headers['content-type'] = contentType;
    let response: Response;
    try {
      response = await ask(url + path, {
        method,
        headers,
        body: body === '' ? null : body,
        signal: signal ?? null,
      });
    } catch (cause) {
      throw signal?.aborted ? new AppError('cancelled') : new AppError('core_unavailable', { cause });
    }
    if (!response.ok) throw await readError(response);
    return response;
  };
}

async function readError(response: Response): Promise<AppError> {
  let body: { error?: unknown } | undefined;
  try {
    body = await response.json();
  } catch {
    // A proxy in between answered; its words are not for the client.
  }
  const info: ErrorInfo = parseErrorInfo(body?.error);
  // The core refusing our own signature is our fault, not the caller's.
  if (response.status === 401) return new AppError('core_unavailable', { cause: new AppError(info.code) });
  return info.code === 'internal_error' ? new AppError('core_unavailable') : AppError.fromInfo(info);
}
