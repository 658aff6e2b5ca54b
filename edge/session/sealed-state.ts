/**
 * A conversation sealed for the client to keep: deflated JSON under AES-256-GCM (NIST SP 800-38D), with the
 * key's name, tenant and user as associated data, so that a flipped bit, another tenant's or another user's
 * state does not open. Whether it is the newest of its conversation is the ledger's business.
 *
 * Form: `ews1.<key id>.<base64url of the 12-byte nonce and the ciphertext with its tag>`.
 */
import { base64url } from 'jose';
import { AppError } from '../../shared/errors.ts';
import type { ChatMessage } from '../../shared/model/chat-model.ts';

export interface SealedContent {
  /** Made by us, 128 random bits; a state cannot move to another conversation. */
  conversation: string;
  /** Turns answered so far. */
  turn: number;
  /** Unix time in milliseconds. */
  sealedAtMs: number;
  /** Round of the first message, from 1: rounds before it have fallen out. */
  firstRound: number;
  system: ChatMessage[];
  messages: ChatMessage[];
}

export interface StateKey {
  /** Letters, digits, `-` and `_`. */
  id: string;
  /** At least 32 characters. */
  secret: string;
}

export interface StateOwner {
  tenant: string;
  user: string;
}

export interface StateSealerOptions {
  /** The first one seals; all of them open, so that keys can be changed with an overlap. At least one. */
  keys: readonly StateKey[];
  /** Most characters of a sealed state: it travels in a header. */
  maxChars: number;
  /** How long a state can be used, in milliseconds. */
  ttlMs: number;
  /** Unix time in milliseconds. */
  now: () => number;
}

export interface StateSealer {
  /** Leaves the oldest rounds out until the rest fits {@link StateSealerOptions.maxChars}. */
  seal(owner: StateOwner, content: SealedContent): Promise<string>;
  /** @throws AppError `state_invalid`, `state_too_large` */
  open(owner: StateOwner, sealed: string): Promise<SealedContent>;
}

const FORM = 'ews1';
const NONCE_BYTES = 12;

/** Keys are derived (HKDF, RFC 5869), the configured secrets are never used directly; random nonces serve 2^32 states a key. */
export function createStateSealer({ keys, maxChars, ttlMs, now }: StateSealerOptions): StateSealer {
  const [first] = keys;
  if (!first) throw new Error('a state sealer needs a key');
  const derived = new Map<string, CryptoKey>();

  async function keyOf({ id, secret }: StateKey): Promise<CryptoKey> {
    const known = derived.get(id);
    if (known) return known;
    const utf8 = new TextEncoder();
    const base = await crypto.subtle.importKey('raw', utf8.encode(secret), 'HKDF', false, ['deriveKey']);
    const salt = { salt: new Uint8Array(), info: utf8.encode(`edgewise state ${id}`) };
    const key = await crypto.subtle.deriveKey(
      { name: 'HKDF', hash: 'SHA-256', ...salt },
      base,
      { name: 'AES-GCM', length: 256 },
      false,
      ['encrypt', 'decrypt'],
    );
    derived.set(id, key);
    return key;
  }

  async function sealAll(owner: StateOwner, content: SealedContent): Promise<string> {
    const key = first as StateKey;
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const plain = await deflate(JSON.stringify(content));
    const additionalData = bindingOf(key.id, owner);
    const sealed = await crypto.subtle.encrypt(
      { name: 'AES-GCM', iv, additionalData },
      await keyOf(key),
      plain,
    );
    const bytes = new Uint8Array(NONCE_BYTES + sealed.byteLength);
    bytes.set(iv);
    bytes.set(new Uint8Array(sealed), NONCE_BYTES);
    return `${FORM}.${key.id}.${base64url.encode(bytes)}`;
  }

  return {
    async seal(owner, content) {
      let kept = content;
      for (;;) {
        const sealed = await sealAll(owner, kept);
        if (sealed.length <= maxChars || kept.messages.length === 0) return sealed;
        kept = withoutOldestRound(kept);
      }
    },

    async open(owner, sealed) {
      if (sealed.length > maxChars) throw new AppError('state_too_large', { param: STATE_PARAM });
      const [form, id, body, ...rest] = sealed.split('.');
      const key = keys.find((known) => known.id === id);
      if (form !== FORM || !key || body === undefined || rest.length > 0) throw invalid();
      const content = await decrypt(await keyOf(key), body, bindingOf(key.id, owner));
      if (content.sealedAtMs + ttlMs <= now()) throw invalid('The sealed state is too old.');
      return content;
    },
  };
}

const STATE_PARAM = 'x-edgewise-state';

function bindingOf(keyId: string, { tenant, user }: StateOwner): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new TextEncoder().encode(JSON.stringify([FORM, keyId, tenant, user])));
}

async function decrypt(
  key: CryptoKey,
  body: string,
  additionalData: Uint8Array<ArrayBuffer>,
): Promise<SealedContent> {
  try {
    const bytes = Uint8Array.from(base64url.decode(body));
    const iv = bytes.subarray(0, NONCE_BYTES);
    const plain = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv, additionalData },
      key,
      bytes.subarray(NONCE_BYTES),
    );
    return JSON.parse(await inflate(plain));
  } catch (cause) {
    throw invalid(undefined, cause);
  }
}

/** What was authenticated is ours, so its form needs no second check. */
function invalid(message?: string, cause?: unknown): AppError {
  return new AppError('state_invalid', { param: STATE_PARAM, cause, ...(message && { message }) });
}

function withoutOldestRound(content: SealedContent): SealedContent {
  const next = content.messages.findIndex(({ role }, index) => index > 0 && role === 'user');
  const messages = next < 0 ? [] : content.messages.slice(next);
  return { ...content, messages, firstRound: content.firstRound + 1 };
}

async function deflate(text: string): Promise<ArrayBuffer> {
  return new Response(
    new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw')),
  ).arrayBuffer();
}

async function inflate(bytes: ArrayBuffer): Promise<string> {
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).text();
}
