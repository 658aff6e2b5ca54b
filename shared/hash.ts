/**
 * SHA-256 for both runtimes, by WebCrypto. Core code that must not wait (the hashes of Redis scripts, a comparison in
 * constant time) uses `node:crypto` where it stands.
 */
const utf8 = new TextEncoder();

/** @returns 32 bytes */
export async function sha256(data: string | Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  // Shared memory, which WebCrypto refuses, is used nowhere here.
  const bytes = typeof data === 'string' ? utf8.encode(data) : (data as Uint8Array<ArrayBuffer>);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** @returns 64 hex digits */
export async function sha256Hex(data: string | Uint8Array): Promise<string> {
  return toHex(await sha256(data));
}

/** By hand: `Uint8Array.prototype.toHex` is in Node from 25 on. */
function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
