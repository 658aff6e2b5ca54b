/** Our own secrets, taken out of whatever an upstream says by their value: a pattern knows only some forms of keys. */

const REMOVED = '[redacted]';
/** Shorter values are as likely words as secrets. */
const MIN_SECRET_CHARS = 4;
/** A value of fewer characters is removed where it stands as a word. */
const MIN_UNIQUE_CHARS = 8;
/** So much of the beginning or of the end of a long secret gives it away. */
const PART_CHARS = 8;
const MIN_CHARS_FOR_PARTS = 16;

/** @returns the text without these values, plain, in a URL or in base64, in any case, and without long parts of them */
export function removeSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET_CHARS) continue;
    clean = clean.replace(patternOf(secret), REMOVED);
    if (secret.length >= MIN_CHARS_FOR_PARTS) clean = withoutParts(clean, secret);
  }
  return clean;
}

function patternOf(secret: string): RegExp {
  const forms = new Set([
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ]);
  const any = [...forms].map(escapePattern).join('|');
  return new RegExp(secret.length < MIN_UNIQUE_CHARS ? `(?<!\\w)(?:${any})(?!\\w)` : any, 'gi');
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** Without pieces of the secret that begin as it does, or end as it does. */
function withoutParts(text: string, secret: string): string {
  const head = secret.slice(0, PART_CHARS);
  const tail = secret.slice(-PART_CHARS);
  let clean = '';
  let rest = text;
  for (let at = rest.indexOf(head); at >= 0; at = rest.indexOf(head)) {
    let length = PART_CHARS;
    while (length < secret.length && rest[at + length] === secret[length]) length++;
    clean += rest.slice(0, at) + REMOVED;
    rest = rest.slice(at + length);
  }
  clean += rest;
  rest = clean;
  clean = '';
  for (let at = rest.lastIndexOf(tail); at >= 0; at = rest.lastIndexOf(tail)) {
    let start = at;
    for (let back = 1; start > 0 && rest[start - 1] === secret[secret.length - PART_CHARS - back]; back++)
      start--;
    clean = REMOVED + rest.slice(at + PART_CHARS) + clean;
    rest = rest.slice(0, start);
  }
  return rest + clean;
}
