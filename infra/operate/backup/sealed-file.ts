/**
 * Encrypts a file with AES-256-GCM in pieces, so that no side holds the whole file in memory. The nonce of a piece holds
 * its number and whether it is the last one (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015),
 * so that a missing, swapped or truncated piece fails to open. The key of a file is derived from the backup key, a salt,
 * and the name that the file is sealed under, so that one file cannot replace another.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const MAGIC = Buffer.from('edgewise-sealed-1\n');
const SALT_BYTES = 32;
const HEAD_BYTES = MAGIC.length + SALT_BYTES;
const TAG_BYTES = 16;
const PIECE_BYTES = 1024 * 1024;
const KEY_BYTES = 32;

export class SealError extends Error {
  override readonly name = 'SealError';
}

/** Size and hash of the plain content, for the manifest. */
export interface Sealed {
  bytes: number;
  sha256: string;
}

/** @param text 32 bytes in base64 or base64url @throws SealError */
export function parseBackupKey(text: string | undefined): Buffer {
  const key = Buffer.from((text ?? '').trim(), 'base64url');
  if (key.length !== KEY_BYTES)
    throw new SealError(
      'EDGEWISE_BACKUP_KEY must be 32 bytes in base64: create one with `openssl rand -base64 32`, and keep it apart from the backups.',
    );
  return key;
}

/** Creates `path` only when the content is complete. */
export async function sealTo(
  path: string,
  source: AsyncIterable<Uint8Array>,
  { key, name }: { key: Buffer; name: string },
): Promise<Sealed> {
  const salt = randomBytes(SALT_BYTES);
  const fileKey = deriveKey(key, salt, name);
  const hash = createHash('sha256');
  let bytes = 0;
  async function* sealed(): AsyncGenerator<Buffer> {
    yield Buffer.concat([MAGIC, salt]);
    let count = 0;
    for await (const { piece, isLast } of inPieces(source, PIECE_BYTES)) {
      hash.update(piece);
      bytes += piece.length;
      const cipher = createCipheriv('aes-256-gcm', fileKey, nonce(count++, isLast));
      yield Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
    }
  }
  const part = `${path}.part`;
  try {
    await pipeline(Readable.from(sealed()), createWriteStream(part, { mode: 0o600 }));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Yields the plain content, each piece verified. @throws SealError when this is not the file sealed under that name */
export async function* unseal(
  path: string,
  { key, name }: { key: Buffer; name: string },
): AsyncGenerator<Buffer> {
  const source = createReadStream(path)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let held = Buffer.alloc(0);
  while (held.length < HEAD_BYTES) {
    const { value, done } = await source.next();
    if (done) throw new SealError(`${name} is truncated.`);
    held = Buffer.concat([held, value]);
  }
  if (!held.subarray(0, MAGIC.length).equals(MAGIC)) throw new SealError(`${name} is not a sealed file.`);
  const fileKey = deriveKey(key, held.subarray(MAGIC.length, HEAD_BYTES), name);
  async function* rest(): AsyncGenerator<Buffer> {
    yield held.subarray(HEAD_BYTES);
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
  }
  let count = 0;
  for await (const { piece, isLast } of inPieces(rest(), PIECE_BYTES + TAG_BYTES))
    yield openPiece(piece, fileKey, { nonce: nonce(count++, isLast), name });
}

function openPiece(piece: Buffer, fileKey: Buffer, at: { nonce: Buffer; name: string }): Buffer {
  if (piece.length < TAG_BYTES) throw new SealError(`${at.name} is truncated.`);
  const decipher = createDecipheriv('aes-256-gcm', fileKey, at.nonce);
  decipher.setAuthTag(piece.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(piece.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw new SealError(`${at.name} was changed or cut off, or this is not its key.`, { cause });
  }
}

function deriveKey(key: Buffer, salt: Uint8Array, name: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, `edgewise backup: ${name}`, KEY_BYTES));
}

/** 11 bytes of counter and one byte for whether the piece is the last. */
function nonce(count: number, isLast: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(count), 3);
  bytes[11] = isLast ? 1 : 0;
  return bytes;
}

/** Cuts a stream into pieces of one size; the last one may be shorter or empty. */
async function* inPieces(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ piece: Buffer; isLast: boolean }> {
  let held: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    held.push(Buffer.from(chunk));
    length += chunk.length;
    // Only one byte more than a piece shows that it is not the last.
    if (length <= size) continue;
    let all = Buffer.concat(held);
    for (; all.length > size; all = all.subarray(size)) yield { piece: all.subarray(0, size), isLast: false };
    held = [all];
    length = all.length;
  }
  yield { piece: Buffer.concat(held), isLast: true };
}
