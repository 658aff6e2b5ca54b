/** What the edge's handlers find in Hono's context. */
import type { Context } from 'hono';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { EdgeBindings } from '../bindings.ts';

/** How much of a request's body is read. */
export interface BodyLimits {
  maxBodyBytes: number;
  /** Of a file. */
  maxUploadBytes: number;
  bodyTimeoutMs: number;
}

export interface EdgeHono {
  Bindings: EdgeBindings;
  Variables: {
    requestId: string;
    /** Of the request's own span, where traces are exported. */
    traceparent: string | undefined;
    /** What the request was refused with. */
    errorCode: string | undefined;
    bodyLimits: BodyLimits;
    /** An answer that has the headers of every answer already. */
    madeWithHeaders: Response | undefined;
    /** Set behind the auth guard. */
    request: RequestContext;
    /** Whether the caller holds an API key, and not a token. Set behind the auth guard. */
    isKey: boolean;
    /** When the caller's token expires, Unix time in milliseconds. */
    tokenExpiresAtMs: number;
    /** Milliseconds that the auth guard took. */
    authMs: number;
  };
}

export type EdgeContext<Path extends string = string> = Context<EdgeHono, Path>;
