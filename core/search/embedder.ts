/** Texts as vectors, by which what means the same is near. */
import type { Caller } from '../models/caller.ts';

export interface Embedder {
  /** Vectors of one name can be compared with each other, and with no others. */
  readonly name: string;
  /** Smallest cosines at which two texts have something to do with each other, and at which they are about the same. */
  readonly minCosine: { related: number; close: number };
  /** One vector of {@link VECTOR_DIMENSIONS} for each text. @throws AppError */
  embed(texts: readonly string[], caller: Caller, signal: AbortSignal): Promise<number[][]>;
}

/** What of a passage its vector is made of. */
export function embeddingText({ heading, text }: { heading: string; text: string }): string {
  return heading === '' ? text : `${heading}\n${text}`;
}
