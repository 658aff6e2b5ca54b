/**
 * Upstash's scripts may name a flag in their first line that plain Redis refuses (`allow-key-locking`). They run
 * without it here. Owns which script stands for which hash, since callers name a script by the hash of the original.
 */
import { createHash } from 'node:crypto';

const FLAGGED = /^#!lua flags=allow-key-locking[^\n]*\n/;
const MAX_SCRIPTS = 1000;

/** @returns a function that gives a command as plain Redis takes it */
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
