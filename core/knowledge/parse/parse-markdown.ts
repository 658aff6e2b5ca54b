import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { type ParsedDocument, SectionWriter } from './section.ts';

/** CommonMark. Code, lists and tables stay as they are written; front matter is left out. */
export function parseMarkdown(markdown: string): ParsedDocument {
  const source = markdown.replace(/^---\r?\n[\s\S]*?\r?\n---\r?\n/, '');
  const writer = new SectionWriter();
  let title: string | undefined;
  for (const node of fromMarkdown(source).children) {
    if (node.type === 'heading') {
      const text = textOf(node);
      if (node.depth === 1) title ??= text;
      writer.heading(node.depth, text);
    } else {
      const { start, end } = node.position ?? {};
      writer.text(`${source.slice(start?.offset ?? 0, end?.offset ?? 0)}\n`);
    }
  }
  return { title, sections: writer.end() };
}

function textOf(node: Nodes): string {
  if ('value' in node) return node.value;
  if ('children' in node) return node.children.map(textOf).join('');
  return '';
}
