/**
 * The chat page and the operator's page: static files of the build (`infra/local/build-web.ts`) under `web/` of the assets,
 * each with its compressed forms. No other asset is public.
 */
import type { Hono } from 'hono';
import { AppError } from '../../shared/errors.ts';
import type { EdgeContext, EdgeHono } from './edge-hono.ts';
import { methodsOf } from './on-not-found.ts';

/** Addresses outside `/assets/` and their files. */
export const pageFiles: Readonly<Record<string, string>> = {
  '/': 'index.html',
  '/admin': 'admin.html',
  '/manifest.webmanifest': 'manifest.webmanifest',
  '/icon.svg': 'icon.svg',
  '/icon-192.png': 'icon-192.png',
  '/icon-512.png': 'icon-512.png',
  '/icon-maskable.png': 'icon-maskable.png',
};

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  woff2: 'font/woff2',
  webmanifest: 'application/manifest+json',
};
/** Types of files that the build compresses. */
const compressed: ReadonlySet<string> = new Set(['html', 'js', 'css', 'svg', 'webmanifest']);
const HASHED = 'public, max-age=31536000, immutable';
/** Revalidated on each use, since its name does not change. */
const NAMED = 'no-cache';

export interface PageRouteOptions {
  /** Whether people can get a token without an account. */
  guests: boolean;
  signIn: SignIn | undefined;
  metricsToken: string | undefined;
}

/** The identity provider of the page. */
interface SignIn {
  issuer: string;
  clientId: string;
  scope: string;
}

export function pageRoute({ guests, signIn, metricsToken }: PageRouteOptions) {
  return {
    async file(c: EdgeContext): Promise<Response> {
      const name = pageFiles[c.req.path];
      if (name === undefined) throw new AppError('route_not_found');
      const headers: Record<string, string> = { 'cache-control': NAMED };
      if (name.endsWith('.html')) Object.assign(headers, pageHeaders(signIn));
      return serve(c, name, headers);
    },

    async asset(c: EdgeContext<'/assets/:name'>): Promise<Response> {
      const name = c.req.param('name');
      if (!/^[\w-][\w.-]{0,127}$/.test(name)) throw new AppError('route_not_found');
      return serve(c, `assets/${name}`, { 'cache-control': HASHED });
    },

    /** Settings that the page needs before a sign-in. The router decides which features this server has. */
    settings(app: Hono<EdgeHono>): (c: EdgeContext) => Response {
      return function sendSettings(c) {
        const features = Object.entries(featurePaths).flatMap(([feature, [method, path]]) =>
          methodsOf(app, path).includes(method) && (feature !== 'metrics' || metricsToken !== undefined)
            ? [feature]
            : [],
        );
        return c.json({
          guests,
          features,
          ...(signIn && {
            sign_in: { issuer: signIn.issuer, client_id: signIn.clientId, scope: signIn.scope },
          }),
        });
      };
    },
  };
}

const featurePaths: Readonly<Record<string, readonly [method: string, path: string]>> = {
  conversations: ['GET', '/v1/conversations'],
  documents: ['POST', '/v1/documents'],
  feedback: ['POST', '/v1/feedback'],
  usage: ['GET', '/v1/usage'],
  metrics: ['GET', '/metrics'],
};

/** The page may run only its own scripts and styles, and connect only to this edge and to the identity provider. */
function pageHeaders(signIn: SignIn | undefined): Record<string, string> {
  const connect = signIn ? `'self' ${new URL(signIn.issuer).origin}` : "'self'";
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    `connect-src ${connect}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types dompurify',
  ];
  return {
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(self)',
    'referrer-policy': 'no-referrer',
  };
}

async function serve(c: EdgeContext, name: string, headers: Record<string, string>): Promise<Response> {
  const ending = name.slice(name.lastIndexOf('.') + 1);
  const type = types[ending];
  if (type === undefined) throw new AppError('route_not_found');
  const encoding = compressed.has(ending) ? preferred(c.req.header('accept-encoding')) : undefined;
  const suffix = encoding === 'br' ? '.br' : encoding === 'gzip' ? '.gz' : '';
  const file = await c.env.ASSETS.fetch(`https://assets/web/${name}${suffix}`);
  if (!file.ok) {
    await file.body?.cancel();
    throw new AppError('route_not_found');
  }
  const sent: Record<string, string> = { ...headers, 'content-type': type };
  if (compressed.has(ending)) sent.vary = 'Accept-Encoding';
  if (encoding === undefined) return new Response(file.body, { headers: sent });
  // The bytes are already compressed.
  return new Response(file.body, {
    headers: { ...sent, 'content-encoding': encoding },
    encodeBody: 'manual',
  });
}

function preferred(accepted = ''): 'br' | 'gzip' | undefined {
  const names = accepted
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => !/;\s*q=0(?:\.0*)?$/.test(entry))
    .map((entry) => entry.replace(/;.*$/, '').trim());
  if (names.includes('br')) return 'br';
  return names.includes('gzip') ? 'gzip' : undefined;
}
