/**
 * What the page's parts share once somebody is signed in: the requests, the list, the open conversation, the choices.
 * The open conversation stands in the address, behind the `#`, which no server sees.
 */
import { type Signal, signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ModelInfo } from '../../shared/protocol/generation-protocol.ts';
import type { Account } from './account/account.ts';
import { subjectOf, type TokenKeeper } from './account/token-keeper.ts';
import { type Api, createApi } from './chat/api.ts';
import { type Ask, type Conversation, createConversation } from './chat/conversation.ts';
import type { Network } from './chat/network.ts';
import { createDocuments, type Documents } from './documents/documents.ts';
import { type ConversationList, createConversationList } from './list/conversation-list.ts';
import { loadMarkdown } from './markdown/markdown.tsx';
import { messageOf } from './message-of.ts';
import type { PageSettings } from './page-settings.ts';
import { kept } from './view/kept.ts';
import { notify } from './view/notices.ts';
import { t } from './words/words.ts';

export interface App {
  readonly api: Api;
  readonly account: Account;
  readonly network: Network;
  readonly settings: PageSettings;
  readonly list: ConversationList;
  readonly documents: Documents;
  readonly conversation: Signal<Conversation>;
  /** Whether the open conversation has begun. */
  readonly begun: Signal<boolean>;
  readonly models: Signal<readonly ModelInfo[]>;
  /** Resolves when the list of models has come, or is known not to come. */
  readonly modelsSettled: Promise<void>;
  readonly model: Signal<string>;
  readonly knowledge: Signal<boolean>;
  /** What stands in the message box. */
  readonly draft: Signal<string>;
  readonly listOpen: Signal<boolean>;
  open(id: string): void;
  newChat(): void;
  ask(ask: Omit<Ask, 'model' | 'knowledge'>): void;
  remove(id: string): void;
  signOut(): void;
  start(): void;
  stop(): void;
}

export interface AppOptions {
  keeper: TokenKeeper;
  account: Account;
  network: Network;
  settings: PageSettings;
}

// long: constructs the parts of the page in the order of their dependencies
export function createApp({ keeper, account, network, settings }: AppOptions): App {
  const api = createApi(keeper);
  const has = (feature: string) => settings.features.includes(feature);
  const subject = subjectOf(account);
  const list = createConversationList({ api, hasTitles: has('conversations'), subject });
  const documents = createDocuments(api, has('documents'));
  const begun = signal(false);
  const model = kept('edgewise.model', 'auto');
  const knowledge = signal(false);
  const models = signal<readonly ModelInfo[]>([]);
  const modelsSettled = Promise.withResolvers<void>();
  const listOpen = signal(false);

  const opened = new Set<Conversation>();
  const create = (id: string) => {
    const made = createConversation({
      id,
      api,
      token: keeper.token,
      network,
      baseUrl: location.origin,
      onTurn: () => {
        list.refreshSoon();
        if (conversation.value.id === id) begun.value = true;
      },
    });
    opened.add(made);
    return made;
  };
  const conversation = signal<Conversation>(create(idOfAddress() ?? crypto.randomUUID()));

  function show(id: string, isNew: boolean): void {
    if (conversation.value.id !== id) {
      conversation.value.close();
      conversation.value = create(id);
    }
    begun.value = !isNew;
    if (!isNew) void loadMarkdown();
    listOpen.value = false;
    if (!isNew) void conversation.value.open().catch(tellFailure);
  }

  function onAddress(): void {
    const id = idOfAddress();
    if (id === conversation.value.id) return;
    show(id ?? crypto.randomUUID(), id === undefined);
  }

  const app: App = {
    api,
    account,
    network,
    settings,
    list,
    documents,
    conversation,
    begun,
    models,
    modelsSettled: modelsSettled.promise,
    model,
    knowledge,
    draft: signal(''),
    listOpen,
    open(id) {
      location.hash = `/c/${id}`;
      listOpen.value = false;
    },
    newChat() {
      if (location.hash.length > 1) history.pushState(null, '', location.pathname);
      show(crypto.randomUUID(), true);
    },
    ask(ask) {
      const { id } = conversation.value;
      void loadMarkdown();
      conversation.value.ask({ ...ask, model: model.value, knowledge: knowledge.value });
      if (!begun.value) {
        begun.value = true;
        history.pushState(null, '', `#/c/${id}`);
      }
      list.touch(id, ask.text);
    },
    remove(id) {
      const bringBack = list.remove(id);
      const wasOpen = conversation.value.id === id;
      if (wasOpen) app.newChat();
      notify(t('deleted'), {
        label: t('undo'),
        run: () => {
          bringBack();
          if (wasOpen) app.open(id);
        },
      });
    },
    signOut() {
      list.flush();
      keeper.signOut();
    },
    start() {
      addEventListener('hashchange', onAddress);
      addEventListener('popstate', onAddress);
      addEventListener('pagehide', list.flush);
      if (idOfAddress()) show(conversation.value.id, false);
      void list.load().catch(tellFailure);
      whenIdle(() => void loadMarkdown());
      void documents.load().catch(() => undefined);
      void api
        .models()
        .then((found) => {
          models.value = found;
          if (!found.some(({ id }) => id === model.value)) model.value = 'auto';
        }, tellFailure)
        .finally(modelsSettled.resolve);
    },
    stop() {
      removeEventListener('hashchange', onAddress);
      removeEventListener('popstate', onAddress);
      removeEventListener('pagehide', list.flush);
      conversation.value.close();
      for (const each of opened) each.abandon();
    },
  };
  return app;

  function tellFailure(error: unknown): void {
    if (keeper.account.value && network.online.value) notify(reasonOf(error));
  }
}

/** Once there is nothing more urgent, so that it is there when the network is not. */
function whenIdle(work: () => void): void {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(work, { timeout: 3000 });
  else setTimeout(work, 500);
}

export function reasonOf(error: unknown): string {
  if (error instanceof TypeError) return t('cannotReach');
  return t('error', { reason: messageOf(error) });
}

function idOfAddress(): string | undefined {
  return /^#\/c\/([A-Za-z0-9._:-]{1,128})$/.exec(location.hash)?.[1];
}

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error('there is no app around this part');
  return app;
}
