/**
 * What every answer tells a browser (OWASP REST Security): nothing here is a page, a frame or a script. What only a page
 * obeys, the pages say themselves.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-site',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Answers of people's prompts belong in no shared cache, unless a route says otherwise.
  'cache-control': 'no-store',
};
