import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import type { EdgeBindings } from '../bindings.ts';
import type { EdgeHono } from './edge-hono.ts';
import { onError } from './on-error.ts';
import { type PageRouteOptions, pageFiles, pageRoute } from './page-route.ts';

const signIn = { issuer: 'https://id.test/realm', clientId: 'c1', scope: 'openid' };
function edge(options: Partial<PageRouteOptions> = {}) {
  const requested: string[] = [];
  const assets = {
    async fetch(address: string) {
      requested.push(address.replace('https://assets/web/', ''));
      return address.includes('missing') ? new Response('', { status: 404 }) : new Response('bytes');
    },
  };
  const app = new Hono<EdgeHono>();
  const page = pageRoute({ guests: false, signIn: undefined, metricsToken: undefined, ...options });
  for (const path of Object.keys(pageFiles)) app.get(path, page.file);
  app.get('/assets/:name', page.asset);
  app.get('/page.json', page.settings(app));
  app.get('/v1/conversations', (c) => c.text(''));
  app.get('/v1/documents', (c) => c.text(''));
  app.get('/metrics', (c) => c.text(''));
  app.onError(onError);
  const env = { ASSETS: assets } as unknown as EdgeBindings;
  const get = async (path: string, headers: Record<string, string> = {}) =>
    app.request(path, { headers }, env);
  return { get, requested };
}

describe('a page', () => {
  test('runs only its own scripts and connects only to this edge', async () => {
    const { get, requested } = edge();
    const response = await get('/');
    expect(await response.text()).toBe('bytes');
    expect(requested).toEqual(['index.html']);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    const policy = response.headers.get('content-security-policy')?.split('; ');
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
  });

  test('also connects to the identity provider', async () => {
    const response = await edge({ signIn }).get('/admin');
    expect(response.headers.get('content-security-policy')).toContain("connect-src 'self' https://id.test;");
  });
});

describe('a file of the build', () => {
  test('is cached as immutable', async () => {
    const { get, requested } = edge();
    const response = await get('/assets/main-abc.js');
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toBeNull();
    expect(requested).toEqual(['assets/main-abc.js']);
  });

  test.each([
    ['br, gzip', '.br', 'br'],
    ['gzip', '.gz', 'gzip'],
    ['br;q=0, gzip;q=0.5', '.gz', 'gzip'],
    ['br;q=0.0', '', null],
    ['identity', '', null],
    ['', '', null],
  ])('with accept-encoding "%s" is sent with the suffix "%s"', async (accepted, suffix, encoding) => {
    const { get, requested } = edge();
    const response = await get('/assets/a.css', { 'accept-encoding': accepted });
    expect(requested).toEqual([`assets/a.css${suffix}`]);
    expect(response.headers.get('content-encoding')).toBe(encoding);
    expect(response.headers.get('vary')).toBe('Accept-Encoding');
  });

  test('in a compressed format is sent without another encoding', async () => {
    const { get, requested } = edge();
    const response = await get('/icon-192.png', { 'accept-encoding': 'br' });
    expect([requested, response.headers.get('vary')]).toEqual([['icon-192.png'], null]);
  });

  test.each([
    '/assets/missing.js',
    '/assets/a.exe',
    '/assets/.env',
    '/assets/..%2Fsecret.js',
    '/assets/noending',
  ])('%s is a 404', async (path) => {
    const response = await edge().get(path);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'route_not_found' } });
  });
});

describe('the page’s settings', () => {
  const settings = async (options: Partial<PageRouteOptions>) =>
    (await edge(options).get('/page.json')).json();

  test('list the features of this server, by the methods that the page needs', async () => {
    expect(await settings({})).toEqual({ guests: false, features: ['conversations'] });
  });

  test('include metrics when a token is configured, guests and the identity provider', async () => {
    expect(await settings({ metricsToken: 'x', guests: true, signIn })).toEqual({
      guests: true,
      features: ['conversations', 'metrics'],
      sign_in: { issuer: 'https://id.test/realm', client_id: 'c1', scope: 'openid' },
    });
  });
});
