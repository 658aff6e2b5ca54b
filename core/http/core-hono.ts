/** What the core's handlers find in Hono's context. */
import type { Context, Handler } from 'hono';
import type { RequestContext } from '../../shared/protocol/request-context.ts';

export interface CoreHono {
  Variables: {
    /** From the service token. Set behind the guard. */
    request: RequestContext;
    /** The body as the token was bound to it; a form's text is left empty. */
    bytes: Uint8Array<ArrayBuffer>;
    body: string;
  };
}

export type CoreContext = Context<CoreHono>;
export type CoreHandler = Handler<CoreHono>;
