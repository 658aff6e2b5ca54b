/** What both ends of a session's WebSocket name alike; what travels over it is in `session-protocol.ts`. */

/** The subprotocol that the server names where the client offered it (RFC 6455, section 4.2.2). A browser sends its token as a second one: {@link tokenProtocol}. */
export const SESSION_PROTOCOL = 'edgewise.v1';
const TOKEN_PREFIX = 'edgewise.token.';

/** Close codes of our own (RFC 6455 leaves 4000 to 4999 to applications). */
export const closeCodes = {
  /** The token has expired, or the key or the user behind it is gone. */
  tokenExpired: 4401,
  sessionDeleted: 4404,
  tooSlow: 4408,
  tooManyMessages: 4429,
} as const;

export function tokenProtocol(token: string): string {
  return TOKEN_PREFIX + token;
}

/** The token among the subprotocols that a client offers. */
export function tokenOfProtocols(header: string | undefined): string | undefined {
  const offered = header?.split(',').map((name) => name.trim());
  return offered?.find((name) => name.startsWith(TOKEN_PREFIX))?.slice(TOKEN_PREFIX.length);
}
