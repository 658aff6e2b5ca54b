/** One signed call of the core: what every client of its addresses has in common. */
import { AppError, type ErrorInfo, parseErrorInfo } from '../../shared/errors.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import { signServiceToken } from '../../shared/protocol/service-token.ts';
import type { CoreRegions } from './core-regions.ts';

export interface CoreCallOptions {
  regions: CoreRegions;
  serviceKey: Uint8Array;
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
  /** Whether it makes something without a name of the caller's choice: repeated, it would make a second one. */
  createsNew?: boolean | undefined;
  /** Whether the core works before it answers: silence does not mean that no one is there. */
  isSlow?: boolean | undefined;
  /** Whether the region that answered has what is asked for; see `core-regions.ts`. */
  isFound?: (answer: Response) => Promise<boolean>;
}

/** @throws AppError what the core says, `core_unavailable`, or `cancelled` when the signal was aborted */
export type CoreCall = (context: RequestContext, request: CoreRequest) => Promise<Response>;

export function createCoreCall({ regions, serviceKey, now }: CoreCallOptions): CoreCall {
  return async function call(context, request) {
    const { method, path, body = '', contentType = 'application/json', accept, signal } = request;
    const token = await signServiceToken(serviceKey, context, { method, path, body }, now());
    const headers: Record<string, string> = {
      authorization: `Bearer ${token}`,
      'x-request-id': context.requestId,
    };
    if (context.traceparent !== undefined) headers.traceparent = context.traceparent;
    if (accept !== undefined) headers.accept = accept;
    if (body !== '') headers['content-type'] = contentType;
    const response = await regions.ask(path, {
      method,
      headers,
      body: body === '' ? null : body,
      signal,
      isRepeatable: request.createsNew !== true,
      isPrompt: request.isSlow !== true,
      isFound: request.isFound,
    });
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
  // Words that are not the core's own are a proxy's, in the place of a core that is not there.
  const isOurs = (body?.error as Partial<ErrorInfo> | undefined)?.code === info.code;
  return isOurs ? AppError.fromInfo(info) : new AppError('core_unavailable');
}
