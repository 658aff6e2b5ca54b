/**
 * Security headers of every response (OWASP REST Security): browsers must not use it as a page, a frame or a script. The
 * pages set further headers of their own.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-site',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Answers to prompts must not be in a shared cache; a route can override this.
  'cache-control': 'no-store',
};
