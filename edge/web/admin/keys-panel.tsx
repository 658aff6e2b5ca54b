import { useEffect, useRef, useState } from 'preact/hooks';
import { type Api, jsonBody } from '../chat/api.ts';
import { CopyButton } from '../view/copy-button.tsx';
import { locale } from '../words/words.ts';
import { t } from './admin-words.ts';
import { attempt } from './attempt.ts';
import { TableHead } from './table-head.tsx';

interface Key {
  id: string;
  name: string;
  prefix: string;
  plan: string;
  scopes: string[];
  /** Unix seconds. */
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
}

// long: one form and its table, most lines are markup
export function KeysPanel({ api }: { api: Api }) {
  const [keys, setKeys] = useState<readonly Key[]>([]);
  const [made, setMade] = useState<string>();
  const load = async () => setKeys((await api.json<{ data: Key[] }>('/v1/keys')).data);
  useEffect(() => attempt(load), []);

  async function create(form: HTMLFormElement): Promise<void> {
    const fields = new FormData(form);
    const scopes = String(fields.get('scopes') ?? '')
      .split(/[\s,]+/)
      .filter(Boolean);
    const body = { name: fields.get('name'), plan: fields.get('plan'), scopes };
    const { key } = await api.json<{ key: string }>('/v1/keys', jsonBody('POST', body));
    form.reset();
    setMade(key);
    await load();
  }

  async function revoke(key: Key): Promise<void> {
    await api.request(`/v1/keys/${encodeURIComponent(key.id)}`, { method: 'DELETE' });
    await load();
  }

  return (
    <section class="panel" aria-labelledby="keys">
      <h2 id="keys">{t('keys')}</h2>
      {made !== undefined && (
        <div class="made-key" role="alert">
          <p>{t('shownOnce')}</p>
          <code>{made}</code>
          <CopyButton text={() => made} label={t('copy')} />
          <button type="button" class="secondary" onClick={() => setMade(undefined)}>
            {t('done')}
          </button>
        </div>
      )}
      <form
        class="key-form"
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          attempt(() => create(form));
        }}
      >
        <label>
          {t('name')}
          <input name="name" required maxLength={100} autocomplete="off" />
        </label>
        <label>
          {t('plan')}
          <input name="plan" defaultValue="free" required pattern="[\w:.\-]{1,64}" autocomplete="off" />
        </label>
        <label>
          {t('scopes')}
          <input name="scopes" placeholder={t('scopesHint')} autocomplete="off" />
        </label>
        <button type="submit" class="primary">
          {t('create')}
        </button>
      </form>
      <div class="table-frame" tabIndex={0}>
        <table>
          <TableHead columns={['name', 'plan', 'scopes', 'created', 'lastUsed', 'state']} hasActions />
          <tbody>
            {keys.map((key) => (
              <tr key={key.id} class={stateOf(key) === 'active' ? '' : 'over'}>
                <th scope="row">
                  {key.name} <code>{key.prefix}…</code>
                </th>
                <td>{key.plan}</td>
                <td>{key.scopes.join(' ')}</td>
                <td>{toDate(key.created_at)}</td>
                <td>{key.last_used_at === null ? t('never') : toDate(key.last_used_at)}</td>
                <td>{t(stateOf(key))}</td>
                <td>
                  {stateOf(key) === 'active' && (
                    <RevokeButton name={key.name} onSure={() => attempt(() => revoke(key))} />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {keys.length === 0 && <p class="empty">{t('noKeys')}</p>}
      </div>
    </section>
  );
}

/** Asks once more: what is revoked stays revoked. */
function RevokeButton({ name, onSure }: { name: string; onSure: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button
        type="button"
        class="quiet danger"
        aria-label={`${t('revoke')}: ${name}`}
        onClick={() => dialog.current?.showModal()}
      >
        {t('revoke')}
      </button>
      <dialog ref={dialog} aria-label={t('revoke')}>
        <p>{t('revokeSure', { name })}</p>
        <div>
          <button type="button" class="secondary" onClick={() => dialog.current?.close()}>
            {t('cancel')}
          </button>
          <button
            type="button"
            class="primary"
            onClick={() => {
              dialog.current?.close();
              onSure();
            }}
          >
            {t('revoke')}
          </button>
        </div>
      </dialog>
    </>
  );
}

function stateOf({ revoked_at: revokedAt, expires_at: expiresAt }: Key): 'active' | 'revoked' | 'expired' {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt * 1000 < Date.now() ? 'expired' : 'active';
}

function toDate(seconds: number): string {
  return new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'short' }).format(
    seconds * 1000,
  );
}
