/** The folding with its table of characters: a static asset, fetched once per isolate, when first needed. */
import { type CharacterTable, createFolding, type Folding } from './folding.ts';

/** Only a finished one is kept: requests may not share a promise. */
let loaded: Folding | undefined;

/** @throws Error when the table cannot be read */
export async function loadFolding(assets: Pick<Fetcher, 'fetch'>): Promise<Folding> {
  if (loaded) return loaded;
  const response = await assets.fetch('https://assets/filter/characters.json');
  if (!response.ok) throw new Error(`the filter's table is not among the assets (${response.status})`);
  const table: CharacterTable = await response.json();
  loaded ??= createFolding(table);
  return loaded;
}
