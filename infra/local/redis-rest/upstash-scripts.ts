/**
 * Scripts of Upstash may set a flag in their first line that plain Redis refuses (`allow-key-locking`). They run
 * without it here. Owns the map from original hash to the hash without the flag, since callers send the original one.
 */
import { createHash } from 'node:crypto';

const FLAGGED = /^#!lua flags=allow-key-locking[^\n]*\n/;
const MAX_SCRIPTS = 1000;

/** @returns a function that rewrites a command for plain Redis */
export function createScriptTranslator(): (command: string[]) => string[] {
  const plainOf = new Map<string, string>();

  return function translate(command) {
    const [name = '', script = '', ...rest] = command;
    if (/^eval(?:_ro)?$/i.test(name) && FLAGGED.test(script)) {
      const plain = script.replace(FLAGGED, '');
      if (plainOf.size < MAX_SCRIPTS) plainOf.set(sha1(script), sha1(plain));
      return [name, plain, ...rest];
    }
    const known = /^evalsha(?:_ro)?$/i.test(name) ? plainOf.get(script.toLowerCase()) : undefined;
    return known === undefined ? command : [name, known, ...rest];
  };
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
