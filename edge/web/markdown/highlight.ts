/** Colours for code. highlight.js is fetched when the first code appears. */
import type { HLJSApi } from 'highlight.js';

let library: HLJSApi | undefined;
let loading: Promise<HLJSApi> | undefined;
/** Longer code stays plain: colouring it would hold up the page. */
const MAX_CHARS = 20_000;

/** @returns HTML, or `undefined` when there is nothing to colour it with (yet) */
export function highlighted(code: string, language: string): string | undefined {
  if (!library || language === '' || code.length > MAX_CHARS || !library.getLanguage(language))
    return undefined;
  return library.highlight(code, { language, ignoreIllegals: true }).value;
}

export function loadHighlighter(): Promise<unknown> {
  loading ??= import('highlight.js/lib/common').then(({ default: loaded }) => {
    library = loaded;
    return loaded;
  });
  return loading;
}
