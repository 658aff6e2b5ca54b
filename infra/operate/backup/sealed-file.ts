/**
 * A file sealed with AES-256-GCM in pieces, so that neither side holds the whole of it. Each piece's nonce counts on and
 * says whether it is the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015): a piece that is
 * missing, swapped or cut off is noticed. The file's own key is derived from the backup's key, a salt, and the name it
 * is sealed under, so that one file cannot be put in another's place.
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

/** What was sealed: for the manifest. */
export interface Sealed {
  /** Bytes and SHA-256 of what was put in. */
  bytes: number;
  sha256: string;
}

/** @returns a key that was made of 32 bytes in base64 or base64url @throws SealError */
export function parseBackupKey(text: string | undefined): Buffer {
  const key = Buffer.from((text ?? '').trim(), 'base64url');
  if (key.length !== KEY_BYTES)
    throw new SealError(
      'EDGEWISE_BACKUP_KEY must be 32 bytes in base64: make one with `openssl rand -base64 32`, and keep it elsewhere than the backups.',
    );
  return key;
}

/** Writes `path` once everything is in it. */
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

/** What was put in, piece by piece, each checked. @throws SealError when the file is not what was sealed under that name */
export async function* unseal(
  path: string,
  { key, name }: { key: Buffer; name: string },
): AsyncGenerator<Buffer> {
  const source = createReadStream(path)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let held = Buffer.alloc(0);
  while (held.length < HEAD_BYTES) {
    const { value, done } = await source.next();
    if (done) throw new SealError(`${name} is cut off.`);
    held = Buffer.concat([held, value]);
  }
  if (!held.subarray(0, MAGIC.length).equals(MAGIC)) throw new SealError(`${name} is no sealed file.`);
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
  if (piece.length < TAG_BYTES) throw new SealError(`${at.name} is cut off.`);
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

/** 11 bytes that count, and one that says whether the piece is the last. */
function nonce(count: number, isLast: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(count), 3);
  bytes[11] = isLast ? 1 : 0;
  return bytes;
}

/** Pieces of one size; the last one, which may be empty, says so. */
async function* inPieces(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ piece: Buffer; isLast: boolean }> {
  let held: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    held.push(Buffer.from(chunk));
    length += chunk.length;
    // One byte more than a piece is needed to know that it is not the last.
    if (length <= size) continue;
    let all = Buffer.concat(held);
    for (; all.length > size; all = all.subarray(size)) yield { piece: all.subarray(0, size), isLast: false };
    held = [all];
    length = all.length;
  }
  yield { piece: Buffer.concat(held), isLast: true };
}
