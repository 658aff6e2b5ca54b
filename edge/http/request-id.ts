import { REQUEST_ID_HEADER } from './answer-headers.ts';
import type { EdgeContext } from './edge-hono.ts';

/** A client's own id is taken when it is one word of these characters. */
const acceptable = /^[A-Za-z0-9._-]{1,128}$/;

/** Names the request; every answer, error and log line carries the name. */
export function nameRequest(c: EdgeContext): void {
  const sent = c.req.header(REQUEST_ID_HEADER);
  c.set('requestId', sent && acceptable.test(sent) ? sent : crypto.randomUUID());
}
