/** The core's tokenizers: a vocabulary is loaded when it is first needed and kept. */

import type { TokenEncoding } from '../../shared/model/token-count.ts';
import { inSlices } from '../../shared/model/token-count.ts';
import type { CountTokens } from '../../shared/model/with-counted-usage.ts';

export async function loadTokenCounter(encoding: TokenEncoding): Promise<CountTokens> {
  const { countTokens } =
    encoding === 'o200k_base'
      ? await import('gpt-tokenizer/encoding/o200k_base')
      : await import('gpt-tokenizer/encoding/cl100k_base');
  // Special tokens in a user's text are ordinary text.
  return inSlices((text) => countTokens(text, { disallowedSpecial: new Set() }));
}
