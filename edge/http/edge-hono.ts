/** The variables of Hono's context at the edge. */
import type { Context } from 'hono';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { EdgeBindings } from '../bindings.ts';

/** Limits of a request's body. */
export interface BodyLimits {
  maxBodyBytes: number;
  /** For an uploaded form. */
  maxUploadBytes: number;
  bodyTimeoutMs: number;
}

export interface EdgeHono {
  Bindings: EdgeBindings;
  Variables: {
    requestId: string;
    /** The request's own span, when traces are exported. */
    traceparent: string | undefined;
    /** The error that the response reports. */
    errorCode: string | undefined;
    bodyLimits: BodyLimits;
    /** The response, if it was created with the headers of every response. */
    completeResponse: Response | undefined;
    /** Set by the auth guard. */
    request: RequestContext;
    /** Whether the caller sent an API key instead of a token. Set by the auth guard. */
    isKey: boolean;
    /** When the caller's token expires, Unix time in milliseconds. */
    tokenExpiresAtMs: number;
    /** Time of the auth guard in milliseconds. */
    authMs: number;
  };
}

export type EdgeContext<Path extends string = string> = Context<EdgeHono, Path>;
