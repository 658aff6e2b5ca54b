/** The operator's page: live charts, models, keys, documents. */
import '../style/base.css';
import '../style/admin.css';
import { render } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { EdgewiseError } from '../../../shared/client/edgewise-error.ts';
import { type Entrance, enterPage } from '../account/enter.ts';
import { type Api, createApi } from '../chat/api.ts';
import type { PageSettings } from '../page-settings.ts';
import { Mark } from '../view/icons.tsx';
import { LanguageMenu } from '../view/language-menu.tsx';
import { NoticesView } from '../view/notices-view.tsx';
import { SignIn } from '../view/sign-in.tsx';
import '../view/theme.ts';
import { t } from './admin-words.ts';
import { DocumentsTable } from './documents-table.tsx';
import { KeysPanel } from './keys-panel.tsx';
import { MetricsPanel } from './metrics-panel.tsx';
import { ModelsPanel } from './models-panel.tsx';
import { UsagePanel } from './usage-panel.tsx';

function Root({ keeper, settings, failure }: Entrance) {
  const account = keeper.account.value;
  const api = useMemo(() => createApi(keeper), [keeper]);
  if (!account) return <SignIn keeper={keeper} settings={{ ...settings, guests: false }} failure={failure} />;
  return (
    <>
      <header class="admin-head">
        <Mark size={28} />
        <h1>
          Edgewise <span>{t('title')}</span>
        </h1>
        <a href="/">{t('toChat')}</a>
        <LanguageMenu />
        <button type="button" class="quiet" onClick={keeper.signOut}>
          {t('signOut')}
        </button>
      </header>
      <Panels api={api} settings={settings} />
      <NoticesView />
    </>
  );
}

function Panels({ api, settings }: { api: Api; settings: PageSettings }) {
  const [allowed, setAllowed] = useState<boolean>();
  useEffect(() => {
    api.request('/v1/keys').then(
      () => setAllowed(true),
      (error) => setAllowed(!(error instanceof EdgewiseError && error.status === 403)),
    );
  }, [api]);
  if (allowed === undefined) return <main class="admin" />;
  return (
    <main class="admin">
      {allowed ? (
        <>
          {settings.features.includes('metrics') && <MetricsPanel />}
          {settings.features.includes('usage') && <UsagePanel api={api} />}
          <ModelsPanel api={api} />
          <KeysPanel api={api} />
          {settings.features.includes('documents') && <DocumentsTable api={api} />}
        </>
      ) : (
        <p class="failure" role="alert">
          {t('notAllowed')}
        </p>
      )}
    </main>
  );
}

async function begin(): Promise<void> {
  const entrance = await enterPage('edgewise.operator');
  const root = document.getElementById('root') as HTMLElement;
  render(<Root {...entrance} />, root);
}

void begin();
