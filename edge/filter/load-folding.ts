/** Loads the folding's table of characters from a static asset, once per isolate, on first use. */
import { type CharacterTable, createFolding, type Folding } from './folding.ts';

/** Kept only when loaded: on Workers, requests must not share a promise. */
let loaded: Folding | undefined;

/** @throws Error when the table cannot be read */
export async function loadFolding(assets: Pick<Fetcher, 'fetch'>): Promise<Folding> {
  if (loaded) return loaded;
  const response = await assets.fetch('https://assets/filter/characters.json');
  if (!response.ok) throw new Error(`the asset characters.json cannot be read (${response.status})`);
  const table: CharacterTable = await response.json();
  loaded ??= createFolding(table);
  return loaded;
}
