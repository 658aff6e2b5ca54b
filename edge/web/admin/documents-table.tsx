import { useEffect, useMemo } from 'preact/hooks';
import type { Api } from '../chat/api.ts';
import { createDocuments } from '../documents/documents.ts';
import { t } from './admin-words.ts';
import { attempt } from './attempt.ts';

export function DocumentsTable({ api }: { api: Api }) {
  const documents = useMemo(() => createDocuments(api, true), [api]);
  useEffect(() => attempt(documents.load), [documents]);
  const entries = documents.entries.value;
  return (
    <section class="panel" aria-labelledby="documents">
      <h2 id="documents">{t('documents')}</h2>
      <label class="secondary file">
        {t('addDocuments')}
        <input
          type="file"
          class="sr-only"
          multiple
          onChange={(event) => {
            for (const file of event.currentTarget.files ?? []) attempt(() => documents.add(file));
          }}
        />
      </label>
      <div class="table-frame" tabIndex={0}>
        <table>
          <tbody>
            {entries.map(({ id, title, status, passages }) => (
              <tr key={id}>
                <th scope="row">{title}</th>
                <td>{status}</td>
                <td class="number">{passages}</td>
                <td>
                  <button
                    type="button"
                    class="quiet danger"
                    aria-label={`${t('remove')}: ${title}`}
                    onClick={() => attempt(() => documents.remove(id))}
                  >
                    {t('remove')}
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {entries.length === 0 && <p class="empty">{t('noDocuments')}</p>}
      </div>
    </section>
  );
}
