/** Somebody who is signed in. */
export interface Account {
  kind: 'guest' | 'token' | 'provider';
  accessToken: string;
  refreshToken?: string;
  /** Unix milliseconds; absent when the token does not say. */
  expiresAtMs?: number;
  /** Where a provider's token is renewed. */
  provider?: { tokenEndpoint: string; clientId: string };
}

/** OAuth 2's token response. */
export interface TokenBody {
  access_token: string;
  refresh_token?: string;
  expires_in?: number;
}

export function toAccount(kind: Account['kind'], body: TokenBody): Account {
  return {
    kind,
    accessToken: body.access_token,
    ...(body.refresh_token !== undefined && { refreshToken: body.refresh_token }),
    ...(body.expires_in !== undefined && { expiresAtMs: Date.now() + body.expires_in * 1000 }),
  };
}
