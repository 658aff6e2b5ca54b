/**
 * Real tokenizers at the edge. A vocabulary is megabytes, so it is no part of the Worker: it is a static
 * asset, fetched and built once per isolate, when a count is first needed (about 17 MB for `o200k_base`).
 */
import { BytePairEncodingCore, type RawBytePairRanks } from 'gpt-tokenizer/BytePairEncodingCore';
import { CL100K_TOKEN_SPLIT_REGEX, O200K_TOKEN_SPLIT_REGEX } from 'gpt-tokenizer/encodingParams/constants';
import type { TokenEncoding } from '../../shared/model/token-count.ts';
import { inSlices } from '../../shared/model/token-count.ts';
import type { CountTokens } from '../../shared/model/with-counted-usage.ts';

export interface TokenCounters {
  /** The counter if it is already here. Never waits. */
  ready(encoding: TokenEncoding): CountTokens | undefined;
  /** The counter, fetched if need be. @throws Error when the vocabulary cannot be read */
  load(encoding: TokenEncoding): Promise<CountTokens>;
}

/** Where a text may be cut into words before its bytes are paired. */
const splits: Record<TokenEncoding, RegExp> = {
  o200k_base: O200K_TOKEN_SPLIT_REGEX,
  cl100k_base: CL100K_TOKEN_SPLIT_REGEX,
};

/** Shared by all objects of an isolate. Only finished counters are kept: requests may not share a promise. */
const counters = new Map<TokenEncoding, CountTokens>();

export function createTokenCounters(assets: Pick<Fetcher, 'fetch'>): TokenCounters {
  return {
    ready: (encoding) => counters.get(encoding),
    async load(encoding) {
      const known = counters.get(encoding);
      if (known) return known;
      const response = await assets.fetch(`https://assets/tokenizers/${encoding}.json`);
      if (!response.ok)
        throw new Error(`the vocabulary ${encoding} is not among the assets (${response.status})`);
      const bytePairRankDecoder: RawBytePairRanks = await response.json();
      // The core alone, without special tokens: in a user's text those are ordinary text.
      const core = new BytePairEncodingCore({ bytePairRankDecoder, tokenSplitRegex: splits[encoding] });
      const count = inSlices((text) => core.countNative(text));
      counters.set(encoding, count);
      return count;
    },
  };
}
