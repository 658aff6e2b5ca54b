/**
 * Word lists from the static assets, into which the build compiles `infra/config/word-lists/`: `words.<tenant>` for one tenant,
 * `words` for every tenant without its own.
 */
import type { StoredWords, WordListSource } from './create-word-filter.ts';

/** Tenants with a name that is safe as a file name. */
const fileName = /^[\w-]{1,64}$/;

export function createAssetWordLists(assets: Pick<Fetcher, 'fetch'>): WordListSource {
  async function read(
    name: string,
    known: string | undefined,
  ): Promise<StoredWords | 'unchanged' | undefined> {
    const headers = known === undefined ? undefined : { 'if-none-match': known };
    const response = await assets.fetch(`https://assets/policy/${name}.bin`, headers ? { headers } : {});
    if (response.ok) {
      return { version: response.headers.get('etag') ?? undefined, bytes: await response.arrayBuffer() };
    }
    await response.body?.cancel();
    if (response.status === 304) return 'unchanged';
    if (response.status === 404) return undefined;
    throw new Error(`the word list ${name} cannot be read (${response.status})`);
  }
  return {
    async read(tenant, known) {
      const own = fileName.test(tenant) ? await read(`words.${tenant}`, known) : undefined;
      return own ?? read('words', known);
    },
  };
}
