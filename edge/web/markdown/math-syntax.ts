/** Mathematics in Markdown: `$...$` and `\(...\)` in a line, `$$...$$` and `\[...\]` on their own. */
import type { TokenizerAndRendererExtension } from 'marked';

const inlineDollar = /^\$(?!\s)((?:\\.|[^$\\\n])+?)(?<!\s)\$(?!\d)/;
const inlineParens = /^\\\(([\s\S]+?)\\\)/;
const blockDollar = /^\$\$\s*([\s\S]+?)\s*\$\$[^\S\n]*(?:\n|$)/;
const blockBrackets = /^\\\[\s*([\s\S]+?)\s*\\\][^\S\n]*(?:\n|$)/;

export const mathExtensions: TokenizerAndRendererExtension[] = [
  {
    name: 'math-block',
    level: 'block',
    start: (source) => /\$\$|\\\[/.exec(source)?.index,
    tokenizer(source) {
      const match = blockDollar.exec(source) ?? blockBrackets.exec(source);
      return match ? { type: 'math-block', raw: match[0], text: match[1] ?? '' } : undefined;
    },
    renderer: ({ text }) => `<div class="math math-display">${toHtml(text)}</div>`,
  },
  {
    name: 'math-inline',
    level: 'inline',
    start: (source) => /\$|\\\(/.exec(source)?.index,
    tokenizer(source) {
      const match = inlineDollar.exec(source) ?? inlineParens.exec(source);
      return match ? { type: 'math-inline', raw: match[0], text: match[1] ?? '' } : undefined;
    },
    renderer: ({ text }) => `<span class="math">${toHtml(text)}</span>`,
  },
];

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function toHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
