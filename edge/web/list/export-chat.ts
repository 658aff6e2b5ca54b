/** A conversation as a file. */
import type { Api } from '../chat/api.ts';
import { type StoredMessage, textOf, visiblePath } from '../chat/message-tree.ts';
import { t } from '../words/words.ts';

const PAGE = 500;

/** Saves it: what is shown of it as Markdown, or all of it as JSON. */
export async function exportChat(
  api: Api,
  id: string,
  title: string,
  form: 'markdown' | 'json',
): Promise<void> {
  const messages: StoredMessage[] = [];
  for (let before: number | undefined; ; ) {
    const page = await api.history(id, PAGE, before);
    messages.unshift(...page.messages);
    before = messages[0]?.position;
    if (!page.has_more || page.messages.length === 0) break;
  }
  const text =
    form === 'json' ? `${JSON.stringify({ id, title, messages }, null, 2)}\n` : toMarkdown(title, messages);
  const type = form === 'json' ? 'application/json' : 'text/markdown';
  save(new Blob([text], { type }), `${fileName(title)}.${form === 'json' ? 'json' : 'md'}`);
}

export function toMarkdown(title: string, messages: readonly StoredMessage[]): string {
  const nodes = messages.map((message) => ({
    id: message.id,
    parentId: message.parent_id,
    order: message.position,
    isQuestion: message.role === 'user',
    message,
  }));
  const parts = visiblePath(nodes, new Map()).flatMap(({ node: { message } }) => {
    const text = textOf(message.content).trim();
    if (text === '' || (message.role !== 'user' && message.role !== 'assistant')) return [];
    return [`## ${t(message.role === 'user' ? 'you' : 'assistant')}\n\n${text}\n`];
  });
  return [`# ${title}\n`, ...parts].join('\n');
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function fileName(title: string): string {
  return (
    title
      .replace(/[^\p{Letter}\p{Number}]+/gu, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 60) || 'chat'
  );
}
