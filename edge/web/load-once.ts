/**
 * A part that is fetched when it is first wanted, once; a fetch that failed may be tried again. The promise never
 * rejects: what waits for the part goes on without it.
 */
export function loadOnce<Part>(fetchPart: () => Promise<Part>): () => Promise<Part | undefined> {
  let loading: Promise<Part | undefined> | undefined;
  return () => {
    loading ??= fetchPart().catch(() => {
      loading = undefined;
      return undefined;
    });
    return loading;
  };
}
