import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import { type ParsedDocument, SectionWriter } from './section.ts';

type Node = DefaultTreeAdapterTypes.Node;

/** What is not read as text by a person. */
const silent: ReadonlySet<string> = new Set([
  'script',
  'style',
  'noscript',
  'template',
  'svg',
  'iframe',
  'nav',
  'head',
  'form',
  'button',
  'select',
]);
const blocks =
  /^(?:p|div|li|ul|ol|tr|table|section|article|header|footer|main|aside|blockquote|pre|figure|dl|dt|dd|br|hr)$/;

/** HTML as a browser reads it (WHATWG). Never fails on malformed markup. */
export function parseHtml(html: string): ParsedDocument {
  const writer = new SectionWriter();
  let line = '';
  let title: string | undefined;
  const endLine = () => {
    const text = line.replace(/[^\S\n]+/g, ' ').trim();
    if (text !== '') writer.text(text);
    line = '';
  };
  // A stack of our own: markup may be nested deeper than calls can be.
  const todo: (Node | (() => void))[] = [parse(html)];
  for (let next = todo.pop(); next; next = todo.pop()) {
    if (typeof next === 'function') {
      next();
      continue;
    }
    if (next.nodeName === '#text') line += (next as DefaultTreeAdapterTypes.TextNode).value;
    if (next.nodeName === 'title') title ??= textOf(next);
    const level = /^h([1-6])$/.exec(next.nodeName)?.[1];
    if (level !== undefined) {
      endLine();
      const text = textOf(next);
      if (level === '1') title ??= text;
      writer.heading(Number(level), text);
      continue;
    }
    // The title stands in the head, which is no text.
    if (silent.has(next.nodeName) && next.nodeName !== 'head') continue;
    const children = 'childNodes' in next ? next.childNodes : [];
    const inner =
      next.nodeName === 'head' ? children.filter(({ nodeName }) => nodeName === 'title') : children;
    if (next.nodeName === 'title') continue;
    if (next.nodeName === 'td' || next.nodeName === 'th') todo.push(() => (line += ' | '));
    if (blocks.test(next.nodeName)) {
      endLine();
      todo.push(endLine);
    }
    for (const child of [...inner].reverse()) todo.push(child);
  }
  endLine();
  return { title: title || undefined, sections: writer.end() };
}

function textOf(node: Node): string {
  let text = '';
  const todo: Node[] = [node];
  for (let next = todo.pop(); next; next = todo.pop()) {
    if (next.nodeName === '#text') text += (next as DefaultTreeAdapterTypes.TextNode).value;
    if ('childNodes' in next) todo.push(...[...next.childNodes].reverse());
  }
  return text.replace(/\s+/g, ' ').trim();
}
