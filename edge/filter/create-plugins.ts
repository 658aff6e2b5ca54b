import type { EdgeConfig } from '../config.ts';
import type { EdgeBindings } from '../env.ts';
import type { Plugin } from '../plugins/plugin.ts';
import { createAssetWordLists } from './asset-word-lists.ts';
import { createPersonalDataFilter } from './create-personal-data-filter.ts';
import { createWordFilter } from './create-word-filter.ts';
import { loadFolding } from './load-folding.ts';
import { createModerationClient } from './moderation.ts';
import { createModerationPlugin } from './moderation-plugin.ts';

const WORDS_LIMIT_MS = 2000;
const PERSONAL_DATA_LIMIT_MS = 200;
const MODERATION_LIMIT_MS = 5000;

/** The plugins that are built in, in their order. A list that is not there costs a tenant nothing. */
export function createPlugins(
  { filter }: EdgeConfig,
  { ASSETS }: Pick<EdgeBindings, 'ASSETS'>,
  now: () => number,
): Plugin[] {
  const { onFailure, personalData, moderation } = filter;
  const plugins = [
    createWordFilter({
      source: createAssetWordLists(ASSETS),
      loadFolding: () => loadFolding(ASSETS),
      onFailure,
      limitMs: WORDS_LIMIT_MS,
      now,
    }),
  ];
  if (personalData.length > 0) {
    const labels = new Set(personalData);
    plugins.push(
      createPersonalDataFilter({ labelsFor: () => labels, onFailure, limitMs: PERSONAL_DATA_LIMIT_MS }),
    );
  }
  if (moderation) {
    const moderate = createModerationClient({ ...moderation, fetch: (...request) => fetch(...request) });
    const { answers } = moderation;
    plugins.push(createModerationPlugin({ moderate, answers, onFailure, limitMs: MODERATION_LIMIT_MS }));
  }
  return plugins;
}
