/**
 * Splits Markdown that still grows into its blocks. What stands before the last block does not change any more, so
 * it is read once; each piece of a stream costs what its last block costs, and not the whole text.
 */
import { Marked, type Token } from 'marked';
import { mathExtensions } from './math-syntax.ts';

export const marked: Marked = new Marked({ gfm: true, breaks: false }, { extensions: mathExtensions });

export interface Block {
  /** Stays the same while the block grows. */
  id: number;
  token: Token;
}

export interface BlockSplitter {
  /** The blocks of the whole text; those that were final before are the same objects. */
  split(text: string): readonly Block[];
}

export function createBlockSplitter(): BlockSplitter {
  let text = '';
  let final: Block[] = [];
  /** How much of the text the final blocks are. */
  let finalChars = 0;
  let blocks: readonly Block[] = [];

  return {
    split(next) {
      if (next === text) return blocks;
      if (!next.startsWith(text.slice(0, finalChars))) {
        final = [];
        finalChars = 0;
      }
      text = next;
      const tokens = marked.lexer(next.slice(finalChars));
      const lastAt = tokens.findLastIndex(({ type }) => type !== 'space');
      for (const token of tokens.slice(0, Math.max(0, lastAt))) {
        finalChars += token.raw.length;
        if (token.type !== 'space') final.push({ id: final.length, token });
      }
      const last = tokens[lastAt];
      blocks = last ? [...final, { id: final.length, token: last }] : [...final];
      return blocks;
    },
  };
}
