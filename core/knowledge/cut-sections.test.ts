import { expect, test } from 'vitest';
import { cutSections } from './cut-sections.ts';

test('paragraphs are put together up to a size, and a long one is cut between sentences', () => {
  const paragraph = (name: string) => `${name} ${'word '.repeat(120)}`.trim();
  const long = Array.from({ length: 60 }, (_, index) => `This is sentence number ${index} of many.`).join(
    ' ',
  );
  const passages = cutSections([
    { heading: 'A', text: [paragraph('one'), paragraph('two'), paragraph('three')].join('\n\n') },
    { heading: 'B', text: long },
  ]);
  expect(passages.filter(({ heading }) => heading === 'A')).toHaveLength(2);
  const cut = passages.filter(({ heading }) => heading === 'B');
  expect(cut.length).toBeGreaterThan(1);
  expect(cut.map(({ text }) => text).join(' ')).toBe(long);
  for (const { text } of passages) expect(text.length).toBeLessThanOrEqual(1500);
  for (const { text } of cut) expect(text).toMatch(/\.$/);
});

test('the same passage is there once', () => {
  expect(
    cutSections([
      { heading: 'A', text: 'x' },
      { heading: 'A', text: 'x' },
      { heading: 'B', text: 'x' },
    ]),
  ).toHaveLength(2);
});
