/** What a client says of caching in `Cache-Control` (RFC 9111, section 5.2.1), as far as it concerns an answer. */
export interface CacheControl {
  /** The answer is neither taken from the cache nor put into it. */
  noStore: boolean;
  /** The answer is not taken from the cache. */
  noCache: boolean;
  /** Oldest answer that will do, in seconds. */
  maxAgeSeconds: number | undefined;
}

const nothingSaid: CacheControl = { noStore: false, noCache: false, maxAgeSeconds: undefined };

/** Never throws: directives that are not known, and values that are no number, say nothing. */
export function parseCacheControl(header: string | undefined): CacheControl {
  if (header === undefined) return nothingSaid;
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
