/** Who asks, and within what bounds: made once by the edge's guards, carried the whole way. */
export interface RequestContext {
  /** Ours, unless the client sent an acceptable `x-request-id`. */
  requestId: string;
  tenant: string;
  /** The token's `sub`. */
  user: string;
  plan: string;
  scopes: readonly string[];
  /** The only session that the caller may reach. */
  session?: string;
  /** The API key that the caller holds, or that the token was exchanged for. */
  keyId?: string;
  /** The span of the request (W3C Trace Context), where traces are exported. */
  traceparent?: string | undefined;
  /** Unix time in milliseconds after which nobody waits for the answer. */
  deadlineMs: number;
}
