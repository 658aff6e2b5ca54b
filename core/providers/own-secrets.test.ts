import { describe, expect, test } from 'vitest';
import { removeSecrets } from './own-secrets.ts';

const key = 'AKq7/zzTopSecretValue+42==xyz';
const secrets = [key, 'hunter2', 'abc'];

describe('removeSecrets', () => {
  test.each([
    ['as it is', `bad key ${key}!`, 'bad key [redacted]!'],
    ['twice', `${key}${key}`, '[redacted][redacted]'],
    ['in another case', key.toUpperCase(), '[redacted]'],
    ['in a URL', `?k=${encodeURIComponent(key)}&a`, '?k=[redacted]&a'],
    ['in base64', Buffer.from(key).toString('base64').replace(/=+$/, ''), '[redacted]'],
    ['cut at its end', `key ${key.slice(0, 12)}`, 'key [redacted]'],
    ['cut at its beginning', `key ${key.slice(-13)}.`, 'key [redacted].'],
    ['with its middle masked', `${key.slice(0, 9)}****${key.slice(-9)}`, '[redacted]****[redacted]'],
    ['short, as a word', 'is hunter2?', 'is [redacted]?'],
  ])('finds a secret %s', (_name, text, clean) => expect(removeSecrets(text, secrets)).toBe(clean));

  test('leaves words alone that are like a short secret', () => {
    for (const text of ['abc', 'ghunter2s', 'messages[0].content', ''])
      expect(removeSecrets(text, secrets)).toBe(text);
  });
});
