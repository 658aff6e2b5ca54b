import { useState } from 'preact/hooks';
import { reasonOf, useApp } from '../app-state.ts';
import { t } from '../words/words.ts';
import { IconButton } from './icon-button.tsx';
import { Icon } from './icons.tsx';
import { notify } from './notices.ts';

/** The person's documents; not there where the server keeps none. */
export function DocumentsPanel() {
  const { documents } = useApp();
  const [open, setOpen] = useState(false);
  if (!documents.offered) return null;
  const entries = documents.entries.value;
  async function add(files: Iterable<File>): Promise<void> {
    for (const file of files) {
      try {
        await documents.add(file);
        notify(t('documentAdded', { name: file.name }));
      } catch (error) {
        notify(reasonOf(error));
      }
    }
  }
  return (
    <section class="documents">
      <button type="button" class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="book" />
        {t('documents')}
        <small>{entries.length}</small>
      </button>
      {open && (
        <div>
          {entries.length === 0 && <p class="empty">{t('noDocuments')}</p>}
          <ul>
            {entries.map(({ id, title, status, passages }) => (
              <li key={id}>
                <span title={title}>{title}</span>
                <small>{passages === undefined ? status : t('passages', { count: passages })}</small>
                <IconButton
                  icon="trash"
                  label={`${t('delete')}: ${title}`}
                  onClick={() =>
                    void documents.remove(id).then(
                      () => notify(t('documentRemoved', { name: title })),
                      (error) => notify(reasonOf(error)),
                    )
                  }
                />
              </li>
            ))}
          </ul>
          <label class="secondary">
            {t('addDocuments')}
            <input
              type="file"
              class="sr-only"
              multiple
              onChange={(event) => void add(event.currentTarget.files ?? [])}
            />
          </label>
        </div>
      )}
    </section>
  );
}
