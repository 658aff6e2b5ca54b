/** Shorter vectors are filled up with zeros, which changes no angle; of longer ones the model is asked for this many. */
export const VECTOR_DIMENSIONS = 1024;
