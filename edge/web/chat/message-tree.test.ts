import { describe, expect, test } from 'vitest';
import { sourcesOf, type TreeNode, visiblePath } from './message-tree.ts';

const node = (id: string, parentId: string | null, order: number): TreeNode => ({
  id,
  parentId,
  order,
  isQuestion: id.startsWith('q'),
});
const ids = (nodes: TreeNode[], chosen: Record<string, string> = {}) =>
  visiblePath(nodes, new Map(Object.entries(chosen))).map(({ node: { id } }) => id);

describe('what is shown', () => {
  const plain = [node('q1', null, 1), node('a1', 'q1', 2), node('q2', 'a1', 3), node('a2', 'q2', 4)];

  test('is the way from the beginning to the newest message', () => {
    expect(ids(plain)).toEqual(['q1', 'a1', 'q2', 'a2']);
    expect(ids([])).toEqual([]);
  });

  test('goes into the branch that was spoken in last, and into another one by choice', () => {
    const branched = [...plain, node('q3', null, 5), node('a3', 'q3', 6)];
    expect(ids(branched)).toEqual(['q3', 'a3']);
    expect(ids(branched, { '': 'q1' })).toEqual(['q1', 'a1', 'q2', 'a2']);
    // Going on in the older branch makes it the one that was spoken in last.
    expect(ids([...branched, node('q4', 'a2', 7)])).toEqual(['q1', 'a1', 'q2', 'a2', 'q4']);
  });

  test('knows the versions of a message, oldest first', () => {
    const again = [...plain, node('a2b', 'q2', 5), node('a2c', 'q2', 6)];
    const last = visiblePath(again, new Map()).at(-1);
    expect([last?.node.id, last?.siblings]).toEqual(['a2c', ['a2', 'a2b', 'a2c']]);
    expect(ids(again, { q2: 'a2' })).toEqual(['q1', 'a1', 'q2', 'a2']);
  });

  test('begins in the middle when what came before is not read yet', () => {
    expect(ids(plain.slice(2))).toEqual(['q2', 'a2']);
    // Two branches of which the upper parts are unknown.
    expect(ids([node('a5', 'x', 5), node('q6', 'a5', 6), node('q9', 'y', 9)])).toEqual(['q9']);
  });
});

test('sources are told once, by the mark that the text has for them', () => {
  const text = 'Thirty-one days [2], as said [2] and [1].';
  const url = '/v1/documents/d/passages/7';
  const at = (start: number) => ({ url, title: 'Handbook', start_index: start, end_index: start + 3 });
  const nested = { type: 'url_citation', url_citation: at(16) };
  const flat = { type: 'url_citation', ...at(29) };
  const other = { type: 'url_citation', url: 'https://example.com/', start_index: 37, end_index: 40 };
  expect(sourcesOf([nested, flat, other, { type: 'file_citation' }], text)).toEqual([
    { url, title: 'Handbook', mark: '2' },
    { url: 'https://example.com/', title: 'https://example.com/', mark: '1' },
  ]);
});
