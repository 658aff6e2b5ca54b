import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBlockSplitter, marked } from './split-blocks.ts';

const text = `# Title

A paragraph with *emphasis* and $x^2$.
It goes on.

- one
- two

  still two
- three

\`\`\`ts
const a = 1;

const b = 2;
\`\`\`

| a | b |
|---|---|
| 1 | 2 |

> quoted

$$
E = mc^2
$$

The end.
`;
const kinds = (whole: string) =>
  marked
    .lexer(whole)
    .filter(({ type }) => type !== 'space')
    .map(({ type, raw }) => [type, raw.trim()]);

test('text that grows piece by piece becomes the blocks of the whole', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }), (steps) => {
      const splitter = createBlockSplitter();
      let at = 0;
      for (const step of steps) {
        at = Math.min(text.length, at + step);
        splitter.split(text.slice(0, at));
      }
      const blocks = splitter.split(text);
      expect(blocks.map(({ token }) => [token.type, token.raw.trim()])).toEqual(kinds(text));
    }),
  );
});

test('a block that is final stays the very same', () => {
  const splitter = createBlockSplitter();
  const [first] = splitter.split('One.\n\nTwo');
  const again = splitter.split('One.\n\nTwo goes on.\n\nThree');
  expect(again[0]).toBe(first);
  expect(again).toHaveLength(3);
});

test('another text begins anew', () => {
  const splitter = createBlockSplitter();
  splitter.split('One.\n\nTwo.');
  expect(splitter.split('Else.').map(({ token }) => token.raw)).toEqual(['Else.']);
});

test('money is no mathematics', () => {
  expect(marked.parse('It costs $5 and $10.')).toContain('$5 and $10');
});
