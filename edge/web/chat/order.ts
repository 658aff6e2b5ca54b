let next = 1e9;

/** The place of something that is not stored yet: beyond every stored position, and after what came before. */
export function nextOrder(): number {
  return next++;
}
