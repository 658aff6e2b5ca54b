import { REQUEST_ID_HEADER } from './answer-headers.ts';
import type { EdgeContext } from './edge-hono.ts';

/** A client's own id is accepted in this form. */
const acceptable = /^[A-Za-z0-9._-]{1,128}$/;

/** Sets the request id, which every response, error and log line contains. */
export function assignRequestId(c: EdgeContext): void {
  const sent = c.req.header(REQUEST_ID_HEADER);
  c.set('requestId', sent && acceptable.test(sent) ? sent : crypto.randomUUID());
}
