/** Colours for code. highlight.js is fetched when the first code appears. */
import type { HLJSApi } from 'highlight.js';
import { loadOnce } from '../load-once.ts';

let library: HLJSApi | undefined;
/** Longer code stays plain: colouring it would hold up the page. */
const MAX_CHARS = 20_000;

/** @returns HTML, or `undefined` when there is nothing to colour it with (yet) */
export function highlighted(code: string, language: string): string | undefined {
  if (!library || language === '' || code.length > MAX_CHARS || !library.getLanguage(language))
    return undefined;
  return library.highlight(code, { language, ignoreIllegals: true }).value;
}

export const loadHighlighter = loadOnce(async () => {
  library = (await import('highlight.js/lib/common')).default;
});
