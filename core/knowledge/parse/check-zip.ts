/**
 * Unpacks a ZIP archive once and throws it away, to see that it is not larger than it may be: what its directory says of sizes
 * need not be true. (PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16; neither ZIP64 nor encryption.)
 */
import { inflateRawSync } from 'node:zlib';
import { DocumentFault } from './document-fault.ts';

const MAX_UNPACKED_BYTES = 128 * 1024 * 1024;
const MAX_ENTRIES = 2000;

const END_SIGNATURE = 0x0605_4b50;
const END_SIZE = 22;
const ENTRY_SIGNATURE = 0x0201_4b50;
const ENTRY_SIZE = 46;
const LOCAL_SIGNATURE = 0x0403_4b50;
const LOCAL_SIZE = 30;
const DEFLATE = 8;

/** @throws DocumentFault */
export function checkZip(bytes: Uint8Array): void {
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    check(zip);
  } catch (error) {
    if (error instanceof DocumentFault) throw error;
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new DocumentFault(isTooLarge ? tooLarge : 'The file is no ZIP archive, or it is damaged.');
  }
}

const tooLarge = `The file unpacks to more than ${MAX_UNPACKED_BYTES / 1024 / 1024} MB.`;

function check(zip: Buffer): void {
  let end = zip.length - END_SIZE;
  while (end >= 0 && zip.readUInt32LE(end) !== END_SIGNATURE) end--;
  if (end < 0) throw new Error('no directory');
  let place = zip.readUInt32LE(end + 16);
  let left = MAX_UNPACKED_BYTES;
  let entries = 0;
  // To the directory's end, whatever number of entries it claims: readers go by the signatures, too.
  while (place < end) {
    if (zip.readUInt32LE(place) !== ENTRY_SIGNATURE) throw new Error('a broken directory');
    if (++entries > MAX_ENTRIES) throw new DocumentFault(`The file holds more than ${MAX_ENTRIES} parts.`);
    left -= unpackedSize(zip, place, left);
    if (left < 0) throw new DocumentFault(tooLarge);
    place +=
      ENTRY_SIZE + zip.readUInt16LE(place + 28) + zip.readUInt16LE(place + 30) + zip.readUInt16LE(place + 32);
  }
  const isWhole = place === end && zip.readUInt32LE(end + 12) === end - zip.readUInt32LE(end + 16);
  if (!isWhole || zip.readUInt16LE(end + 8) !== entries || zip.readUInt16LE(end + 10) !== entries)
    throw new Error('a directory with another number of entries than it says');
}

function unpackedSize(zip: Buffer, entry: number, left: number): number {
  const method = zip.readUInt16LE(entry + 10);
  const packedBytes = zip.readUInt32LE(entry + 20);
  const local = zip.readUInt32LE(entry + 42);
  if (zip.readUInt32LE(local) !== LOCAL_SIGNATURE) throw new Error('a broken entry');
  const start = local + LOCAL_SIZE + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const packed = zip.subarray(start, start + packedBytes);
  if (packed.length < packedBytes) throw new Error('a cut entry');
  if (method !== DEFLATE) return packedBytes;
  return packedBytes === 0 ? 0 : inflateRawSync(packed, { maxOutputLength: Math.max(1, left) }).length;
}
