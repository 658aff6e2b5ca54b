import { AppError } from '../../shared/errors.ts';
import { VECTOR_DIMENSIONS } from '../db/vector-dimensions.ts';
import type { Embeddings } from '../embeddings/embeddings.ts';
import type { Embedder } from './embedder.ts';

/** What today's embedding models give to texts about different things is below. */
const MIN_COSINE = { related: 0.2, close: 0.35 };

/** An embedding model of the registry, by its name or an alias's. */
export function createModelEmbedder(model: string, embeddings: Embeddings): Embedder {
  return {
    name: model,
    minCosine: MIN_COSINE,
    async embed(texts, caller, signal) {
      const { vectors } = await embeddings.embed(model, texts, caller, signal);
      return vectors.map(toSize);
    },
  };
}

function toSize(vector: number[]): number[] {
  // A part of a vector is no vector, unless its model was trained for that.
  if (vector.length > VECTOR_DIMENSIONS) throw new AppError('upstream_invalid');
  return [...vector, ...new Array<number>(VECTOR_DIMENSIONS - vector.length).fill(0)];
}
