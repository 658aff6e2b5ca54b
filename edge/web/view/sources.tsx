import { useState } from 'preact/hooks';
import { reasonOf, useApp } from '../app-state.ts';
import type { Source } from '../chat/message-tree.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { t } from '../words/words.ts';
import { notify } from './notices.ts';

/** Where an answer comes from. A passage of a document opens here; a web address is a link. */
export function Sources({ sources }: { sources: readonly Source[] }) {
  const { api } = useApp();
  const [open, setOpen] = useState<{ url: string; heading: string; text: string }>();
  async function show(url: string): Promise<void> {
    if (open?.url === url) return setOpen(undefined);
    try {
      setOpen({ url, ...(await api.json<{ heading: string; text: string }>(url)) });
    } catch (error) {
      notify(reasonOf(error));
    }
  }
  return (
    <section class="sources" aria-label={t('sources')}>
      <ol>
        {sources.map(({ url, title, mark }) => (
          <li key={url}>
            {/^https?:/.test(url) ? (
              <a href={url} target="_blank" rel="noopener noreferrer nofollow">
                <b>{mark}</b>
                <span>{title}</span>
              </a>
            ) : (
              <button type="button" aria-expanded={open?.url === url} onClick={() => void show(url)}>
                <b>{mark}</b>
                <span>{title}</span>
              </button>
            )}
          </li>
        ))}
      </ol>
      {open && (
        <blockquote>
          <cite>{open.heading}</cite>
          <Markdown text={open.text} growing={false} />
        </blockquote>
      )}
    </section>
  );
}
