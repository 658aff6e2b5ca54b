import type { EdgeBindings } from '../bindings.ts';
import type { Plugin } from '../plugins/plugin.ts';
import { createAssetWordLists } from './asset-word-lists.ts';
import { createPersonalDataFilter } from './create-personal-data-filter.ts';
import { createWordFilter } from './create-word-filter.ts';
import { loadFolding } from './load-folding.ts';
import { createModerationClient } from './moderation.ts';
import { createModerationPlugin, type ModerationPluginOptions } from './moderation-plugin.ts';
import type { PersonalDataLabel } from './personal-data.ts';

const WORDS_LIMIT_MS = 2000;
const PERSONAL_DATA_LIMIT_MS = 200;
const MODERATION_LIMIT_MS = 5000;

export interface FilterSettings {
  /** What happens when a filter fails: `closed` refuses the text, `open` lets it pass. */
  onFailure: Plugin['onFailure'];
  /** The personal data that is masked. */
  personalData: readonly PersonalDataLabel[];
  moderation: ModerationSettings | undefined;
}

interface ModerationSettings extends Pick<ModerationPluginOptions, 'answers'> {
  url: string;
  apiKey: string | undefined;
  model: string | undefined;
}

/** The built-in plugins, in order. A tenant without a word list has no cost from the word filter. */
export function createPlugins(
  { onFailure, personalData, moderation }: FilterSettings,
  { ASSETS }: Pick<EdgeBindings, 'ASSETS'>,
  now: () => number,
): Plugin[] {
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
