import '../testing/browser-globals.ts';
import { expect, test } from 'vitest';
import type { StoredMessage } from '../chat/message-tree.ts';
import { toMarkdown } from './export-chat.ts';

const message = (
  position: number,
  parent: number | null,
  role: string,
  content: NonNullable<StoredMessage['content']> | null,
): StoredMessage => ({
  position,
  id: `m${position}`,
  parent_id: parent === null ? null : `m${parent}`,
  turn_id: 't',
  created_at: 1,
  role,
  content,
});

test('a conversation is Markdown with a heading for each message', () => {
  const messages = [
    message(1, null, 'user', [
      { type: 'text', text: ' What? ' },
      { type: 'image_url', image_url: 'data:x' },
    ]),
    message(2, 1, 'assistant', 'This.\n'),
  ];
  expect(toMarkdown('Trip', messages)).toBe('# Trip\n\n## You\n\nWhat?\n\n## Answer\n\nThis.\n');
});

test('only the branch that is shown is in it, without tools and silence', () => {
  const messages = [
    message(1, null, 'user', 'Old.'),
    message(2, 1, 'assistant', 'Old answer.'),
    message(3, null, 'user', 'New.'),
    message(4, 3, 'assistant', null),
    message(5, 4, 'tool', '42'),
    message(6, 5, 'assistant', 'It is 42.'),
  ];
  expect(toMarkdown('T', messages)).toBe('# T\n\n## You\n\nNew.\n\n## Answer\n\nIt is 42.\n');
});
