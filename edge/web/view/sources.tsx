import { useState } from 'preact/hooks';
import { reasonOf, useApp } from '../app-state.ts';
import type { Annotation } from '../chat/message-tree.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { t } from '../words/words.ts';
import { notify } from './notices.ts';

/** Where an answer comes from. A passage of a document opens here; a web address is a link. */
export function Sources({ annotations }: { annotations: readonly Annotation[] }) {
  const { documents } = useApp();
  const [open, setOpen] = useState<{ at: number; text: string }>();
  async function show(at: number, { quote, passage, index, ...place }: Annotation): Promise<void> {
    if (open?.at === at) return setOpen(undefined);
    const id = place.document_id ?? place.file_id;
    try {
      const text =
        quote ?? (id === undefined ? '' : (await documents.passage(id, passage ?? index ?? 0)).text);
      setOpen({ at, text });
    } catch (error) {
      notify(reasonOf(error));
    }
  }
  return (
    <section class="sources" aria-label={t('sources')}>
      <ol>
        {annotations.map((annotation, at) => {
          const name =
            annotation.title ?? annotation.filename ?? annotation.url ?? t('source', { index: at + 1 });
          return (
            <li key={`${name}${at}`}>
              {annotation.url !== undefined && /^https?:/.test(annotation.url) ? (
                <a href={annotation.url} target="_blank" rel="noopener noreferrer nofollow">
                  <sup>{at + 1}</sup>
                  {name}
                </a>
              ) : (
                <button
                  type="button"
                  aria-expanded={open?.at === at}
                  onClick={() => void show(at, annotation)}
                >
                  <sup>{at + 1}</sup>
                  {name}
                </button>
              )}
            </li>
          );
        })}
      </ol>
      {open && (
        <blockquote>
          <Markdown text={open.text} growing={false} />
        </blockquote>
      )}
    </section>
  );
}
