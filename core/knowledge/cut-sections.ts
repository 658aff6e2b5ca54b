import { piecesOf } from '../text/sentences.ts';
import type { Section } from './parse/section.ts';

/** About 300 tokens: enough to stand alone, small enough that some fit into a prompt. */
const MAX_CHARS = 1500;

/** Passages of a bounded size: paragraphs of one section put together, a long paragraph cut between sentences; each once. */
export function cutSections(sections: readonly Section[]): Section[] {
  const passages = new Map<string, Section>();
  for (const { heading, text } of sections) {
    let passage = '';
    const flush = () => {
      if (passage !== '') passages.set(`${heading}\n${passage}`, { heading, text: passage });
      passage = '';
    };
    for (const paragraph of text.split(/\n\s*\n/)) {
      for (const piece of paragraph.length > MAX_CHARS ? piecesOf(paragraph, MAX_CHARS) : [paragraph]) {
        if (passage !== '' && passage.length + 2 + piece.length > MAX_CHARS) flush();
        passage = passage === '' ? piece : `${passage}\n\n${piece}`;
      }
    }
    flush();
  }
  return [...passages.values()];
}
