/** Stands for an identity provider: OpenID Connect's code flow with PKCE for one public client, whose user says yes. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface ScriptedProvider {
  readonly issuer: string;
  readonly jwksUrl: string;
  /** The grants that were asked for, in their order. */
  readonly grants: string[];
  /** How long its tokens hold, in seconds. */
  expiresIn: number;
  /** An access token of its one user. */
  token(): Promise<string>;
  close(): Promise<void>;
}

export async function startScriptedProvider(clientId: string, audience: string): Promise<ScriptedProvider> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const codes = new Map<string, { challenge: string; redirectUri: string }>();
  const refreshes = new Set<string>();
  const grants: string[] = [];
  const state = { expiresIn: 3600 };
  const token = () =>
    new SignJWT({ tenant: 'acme', name: 'Ann Example' })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .setSubject('ann')
      .setIssuer(issuer)
      .setAudience(audience)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${Math.max(state.expiresIn, 60)}s`)
      .sign(privateKey);
  const app = new Hono();
  app.use(cors({ origin: '*' }));
  app.get('/.well-known/openid-configuration', (c) =>
    c.json({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` }),
  );
  app.get('/jwks', (c) => c.json({ keys: [jwk] }));
  app.get('/authorize', (c) => {
    const asked = c.req.query();
    const isRight =
      asked.client_id === clientId &&
      asked.response_type === 'code' &&
      asked.code_challenge_method === 'S256' &&
      asked.scope?.includes('openid');
    if (!isRight) return c.text('wrong', 400);
    const code = crypto.randomUUID();
    codes.set(code, { challenge: asked.code_challenge ?? '', redirectUri: asked.redirect_uri ?? '' });
    const back = new URL(asked.redirect_uri ?? '');
    back.searchParams.set('code', code);
    back.searchParams.set('state', asked.state ?? '');
    return c.redirect(back.href);
  });
  app.post('/token', async (c) => {
    const form = (await c.req.parseBody()) as Record<string, string>;
    grants.push(form.grant_type ?? '');
    if (form.grant_type === 'authorization_code') {
      const known = codes.get(form.code ?? '');
      codes.delete(form.code ?? '');
      const challenge = createHash('sha256')
        .update(form.code_verifier ?? '')
        .digest('base64url');
      if (known?.challenge !== challenge || known.redirectUri !== form.redirect_uri)
        return c.json({ error: 'invalid_grant' }, 400);
    } else if (!refreshes.delete(form.refresh_token ?? '')) return c.json({ error: 'invalid_grant' }, 400);
    const refresh = crypto.randomUUID();
    refreshes.add(refresh);
    return c.json({
      access_token: await token(),
      token_type: 'Bearer',
      expires_in: state.expiresIn,
      refresh_token: refresh,
    });
  });
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 });
  if (!server.listening) await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    jwksUrl: `${issuer}/jwks`,
    grants,
    token,
    get expiresIn() {
      return state.expiresIn;
    },
    set expiresIn(seconds) {
      state.expiresIn = seconds;
    },
    async close() {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
