import { describe, expect, test } from 'vitest';
import { createStateSealer, type SealedContent, type StateSealerOptions } from './sealed-state.ts';

const owner = { tenant: 'acme', user: 'alice' };
const key = (id: string) => ({ id, secret: `${id}-secret-secret-secret-secret-secret` });
const nowMs = 1_800_000_000_000;

function sealer(options: Partial<StateSealerOptions> = {}) {
  return createStateSealer({ keys: [key('k1')], maxChars: 8192, ttlMs: 1000, now: () => nowMs, ...options });
}
function content(rounds = 1, chars = 10): SealedContent {
  const messages = Array.from({ length: rounds }, (_, round) => [
    { role: 'user' as const, content: `q${round} ${randomText(chars)}` },
    { role: 'assistant' as const, content: `a${round}` },
  ]).flat();
  return { conversation: 'c1', turn: rounds, sealedAtMs: nowMs, firstRound: 1, system: [], messages };
}
/** Does not get smaller when it is deflated. */
function randomText(chars: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(chars));
  return Buffer.from(bytes).toString('base64').slice(0, chars);
}
const refused = (code: string) => expect.objectContaining({ code, param: 'x-edgewise-state' });

test('what was sealed opens again, and says nothing to who only sees it', async () => {
  const sealed = await sealer().seal(owner, content());
  expect(sealed).toMatch(/^ews1\.k1\.[\w-]+$/);
  expect(Buffer.from(sealed.split('.')[2] ?? '', 'base64url').toString('latin1')).not.toContain('q0');
  expect(await sealer().open(owner, sealed)).toMatchObject({ conversation: 'c1', turn: 1 });
  expect(await sealer().seal(owner, content())).not.toBe(sealed);
});

describe('is refused', () => {
  test('with any one bit flipped', async () => {
    const one = sealer();
    const sealed = await one.seal(owner, content());
    const [form, id, body = ''] = sealed.split('.');
    const bytes = Buffer.from(body, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const state = `${form}.${id}.${flipped.toString('base64url')}`;
      await expect(one.open(owner, state)).rejects.toEqual(refused('state_invalid'));
    }
  });

  test('of another user, of another tenant, and under another key name', async () => {
    const one = sealer({ keys: [key('k1'), { ...key('k1'), id: 'k2' }] });
    const sealed = await one.seal(owner, content());
    for (const other of [
      { ...owner, user: 'bob' },
      { ...owner, tenant: 'other' },
      { tenant: 'acm', user: 'ealice' },
    ]) {
      await expect(one.open(other, sealed)).rejects.toEqual(refused('state_invalid'));
    }
    await expect(one.open(owner, sealed.replace('.k1.', '.k2.'))).rejects.toEqual(refused('state_invalid'));
  });

  test.each([
    '',
    'x',
    'ews1',
    'ews1.k1',
    'ews1.k1.',
    'ews1.k1.!!',
    'ews1.nope.AAAA',
    'ews2.k1.AAAA',
    'ews1.k1.AAAA.b',
  ])('when it is %j', async (state) => {
    await expect(sealer().open(owner, state)).rejects.toEqual(refused('state_invalid'));
  });

  test('when it is too old, or too long', async () => {
    const sealed = await sealer().seal(owner, content());
    await expect(sealer({ now: () => nowMs + 1000 }).open(owner, sealed)).rejects.toEqual(
      refused('state_invalid'),
    );
    await expect(sealer({ maxChars: 20 }).open(owner, sealed)).rejects.toEqual(refused('state_too_large'));
  });
});

test('keys change with an overlap: the new one seals, the old one still opens', async () => {
  const old = await sealer().seal(owner, content());
  const both = sealer({ keys: [key('k2'), key('k1')] });
  expect(await both.open(owner, old)).toMatchObject({ turn: 1 });
  expect(await both.seal(owner, content())).toMatch(/^ews1\.k2\./);
  await expect(sealer({ keys: [key('k2')] }).open(owner, old)).rejects.toEqual(refused('state_invalid'));
});

test('the oldest rounds fall out of a state that would be too large', async () => {
  const one = sealer({ maxChars: 2000 });
  const sealed = await one.seal(owner, content(10, 300));
  expect(sealed.length).toBeLessThanOrEqual(2000);
  const opened = await one.open(owner, sealed);
  expect(opened.messages.length).toBeGreaterThan(2);
  expect(opened.firstRound).toBe(11 - opened.messages.length / 2);
  expect(opened.messages.at(-1)).toEqual({ role: 'assistant', content: 'a9' });
});
