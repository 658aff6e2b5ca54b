/** The directives of a request's `Cache-Control` (RFC 9111, section 5.2.1) that apply to an answer. */
export interface CacheControl {
  /** The answer is neither read from the cache nor stored in it. */
  noStore: boolean;
  /** The answer is not read from the cache. */
  noCache: boolean;
  /** Largest age of an answer, in seconds. */
  maxAgeSeconds: number | undefined;
}

const noDirectives: CacheControl = { noStore: false, noCache: false, maxAgeSeconds: undefined };

/** Never throws: ignores unknown directives and values that are not numbers. */
export function parseCacheControl(header: string | undefined): CacheControl {
  if (header === undefined) return noDirectives;
  const directives = header
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim());
  const maxAge = directives
    .map((directive) => directive.match(/^max-age="?(\d{1,10})"?$/)?.[1])
    .find(Boolean);
  return {
    noStore: directives.includes('no-store'),
    noCache: directives.includes('no-cache'),
    maxAgeSeconds: maxAge === undefined ? undefined : Number(maxAge),
  };
}
