import { signal } from '@preact/signals';
import { describe, expect, test } from 'vitest';
import { type ConversationParts, type PendingTurn, toNodes } from './conversation-nodes.ts';
import { createLiveTurn, type LiveTurn } from './live-turn.ts';
import type { StoredMessage } from './message-tree.ts';
import { findStoredTurn } from './stored-turn.ts';

function message(
  position: number,
  role: string,
  turnId: string,
  more: Partial<StoredMessage> = {},
): StoredMessage {
  return {
    position,
    id: `m${position}`,
    parent_id: position === 1 ? null : `m${position - 1}`,
    turn_id: turnId,
    created_at: 100,
    role,
    content: `text ${position}`,
    ...more,
  };
}
function pending(key: string, more: Partial<PendingTurn> = {}): PendingTurn {
  return {
    key,
    text: 'Hello.',
    images: [],
    model: 'auto',
    knowledge: false,
    askedAtMs: 100_000,
    state: signal('sending' as const),
    error: signal(undefined),
    responseId: undefined,
    turnId: undefined,
    order: 1000,
    ...more,
  };
}
function live(turnId: string, more: Partial<LiveTurn> = {}): LiveTurn {
  return { ...createLiveTurn(`resp_${turnId}_s`, 0, 1000), ...more };
}
const parts = (more: Partial<ConversationParts>): ConversationParts => ({
  stored: [],
  live: [],
  pending: [],
  ...more,
});
const shape = (more: Partial<ConversationParts>) =>
  toNodes(parts(more)).map(({ id, parentId, key }) => [id, parentId, key]);

test('what is stored stands under its parent, named by its turn', () => {
  const stored = [message(1, 'user', 't1'), message(2, 'assistant', 't1')];
  expect(shape({ stored })).toEqual([
    ['m1', null, 'q:t1'],
    ['m2', 'm1', 'a:t1'],
  ]);
});

test('several messages of one turn have names of their own', () => {
  const stored = [
    message(1, 'user', 't1'),
    message(2, 'assistant', 't1', { content: null }),
    message(3, 'tool', 't1'),
    message(4, 'assistant', 't1'),
  ];
  expect(shape({ stored }).map(([, , key]) => key)).toEqual(['q:t1', 'a:t1', 'm3', 'm4']);
});

describe('a question on its way', () => {
  const stored = [message(1, 'user', 't1'), message(2, 'assistant', 't1')];

  test('stands after the newest message, with room for its answer', () => {
    expect(shape({ stored, pending: [pending('k')] }).slice(2)).toEqual([
      ['q:k', 'm2', 'q:k'],
      ['a:k', 'q:k', 'a:k'],
    ]);
  });

  test('that is an edit stands where it was put', () => {
    expect(shape({ stored, pending: [pending('k', { parentId: null })] })[2]).toEqual(['q:k', null, 'q:k']);
  });

  test('after another one on its way stands under that one’s answer', () => {
    const two = [pending('k'), pending('l', { order: 1001 })];
    expect(shape({ pending: two })).toEqual([
      ['q:k', null, 'q:k'],
      ['a:k', 'q:k', 'a:k'],
      ['q:l', 'a:k', 'q:l'],
      ['a:l', 'q:l', 'a:l'],
    ]);
  });

  test('that asks again adds an answer to the stored question', () => {
    const again = pending('k', { text: '', again: 't1' });
    expect(shape({ stored, pending: [again] }).slice(2)).toEqual([['a:k', 'm1', 'a:k']]);
  });

  test('keeps its names while its turn is answered and when it is stored', () => {
    const sent = pending('k', { turnId: 't1', responseId: 'resp_t1_s' });
    const turn = live('t1', { key: 'k' });
    const names = [
      shape({ pending: [pending('k')] }),
      shape({ pending: [sent], live: [turn] }),
      shape({ pending: [sent], live: [turn], stored: [stored[0] as StoredMessage] }),
      shape({ live: [turn], stored }),
    ].map((nodes) => nodes.map(([, , key]) => key).sort());
    expect(names).toEqual(Array(4).fill(['a:k', 'q:k']));
  });
});

describe('a turn that is being answered', () => {
  test('of another device stands under its stored question', () => {
    const stored = [message(1, 'user', 't1')];
    expect(shape({ stored, live: [live('t1')] })[1]).toEqual(['a:t1', 'm1', 'a:t1']);
  });

  test('is not shown twice when its answer is stored', () => {
    const stored = [message(1, 'user', 't1'), message(2, 'assistant', 't1')];
    const turn = live('t1');
    const nodes = toNodes(parts({ stored, live: [turn] }));
    expect(nodes.map(({ id }) => id)).toEqual(['m1', 'm2']);
    expect(nodes[1]?.live).toBe(turn);
  });

  test('goes on beside a stored message that only called a tool', () => {
    const stored = [message(1, 'user', 't1'), message(2, 'assistant', 't1', { content: null })];
    expect(shape({ stored, live: [live('t1')] }).at(-1)).toEqual(['a:t1', 'm1', 'a:t1']);
  });

  test('that answers a question again stands beside the first answer', () => {
    const stored = [message(1, 'user', 't1'), message(2, 'assistant', 't1')];
    expect(shape({ stored, live: [live('t2', { again: 't1' })] }).at(-1)).toEqual(['a:t2', 'm1', 'a:t2']);
  });
});

describe('the stored turn of a question whose reply is awaited', () => {
  const asked = pending('k', { text: 'text 1' });
  const stored = [message(1, 'user', 't1')];

  test('is the one that says the same', () => {
    expect(findStoredTurn(asked, parts({ stored }))).toBe('t1');
  });

  test.each<[string, Partial<ConversationParts>, Partial<PendingTurn>]>([
    ['says something else', { stored }, { text: 'else' }],
    ['is older', { stored }, { askedAtMs: 101_000 }],
    ['belongs to a turn that is being answered', { stored, live: [live('t1')] }, {}],
    ['belongs to another question on its way', { stored, pending: [pending('l', { turnId: 't1' })] }, {}],
    ['is an answer', { stored: [message(1, 'assistant', 't1')] }, {}],
    ['is a question that is asked again', { stored }, { again: 't1' }],
  ])('is none that %s', (_name, more, change) => {
    expect(findStoredTurn({ ...asked, ...change }, parts(more))).toBeUndefined();
  });
});
