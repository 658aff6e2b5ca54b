/**
 * The person's conversations: the server's list, and titles that this browser remembers where the server has none.
 * Owns the list and what is being deleted; the conversations themselves are elsewhere.
 */
import { type Signal, signal } from '@preact/signals';
import { type Api, type ConversationPage, jsonBody, type ListedConversation } from '../chat/api.ts';

export interface ListEntry {
  id: string;
  title: string;
  /** Unix milliseconds. */
  updatedAtMs: number;
}

export interface ConversationList {
  readonly entries: Signal<readonly ListEntry[]>;
  readonly hasMore: Signal<boolean>;
  load(): Promise<void>;
  loadMore(): Promise<void>;
  /** Soon, and once for many reasons. */
  refreshSoon(): void;
  search(query: string): Promise<readonly ListEntry[]>;
  /** Puts a conversation at the top; `title` is kept when it has none. */
  touch(id: string, title: string): void;
  rename(id: string, title: string): Promise<void>;
  /** Takes it off the list at once, and off the server when nobody has wanted it back. @returns what brings it back */
  remove(id: string): () => void;
  /** Deletes now what waits to be deleted. */
  flush(): void;
}

export const UNDO_MS = 6000;
const REFRESH_MS = [1200, 8000];
/** How long a server may take to list what has begun. */
const JUST_NOW_MS = 10_000;
const TITLE_CHARS = 60;
const MAX_KEPT = 500;

export interface ConversationListOptions {
  api: Api;
  /** Whether the server keeps titles and can search. */
  hasTitles: boolean;
  /** Whose list it is. */
  subject: string;
}

// long: the methods of one owner share the list; each is short
export function createConversationList({
  api,
  hasTitles,
  subject,
}: ConversationListOptions): ConversationList {
  const storageKey = `edgewise.list.${subject}`;
  const renamedKey = `edgewise.renamed.${subject}`;
  const entries = signal<readonly ListEntry[]>(JSON.parse(localStorage.getItem(storageKey) ?? '[]'));
  const hasMore = signal(false);
  /** Titles that the server does not have yet: it archives a conversation a moment after its turn. */
  const renamed = new Map<string, string>(JSON.parse(localStorage.getItem(renamedKey) ?? '[]'));
  const archived = new Set<string>();
  const removing = new Map<string, ReturnType<typeof setTimeout>>();
  /** Deleted, or about to be, on the server: a page that was read before may still list them. */
  const removed = new Set<string>();
  let refreshing: ReturnType<typeof setTimeout>[] = [];

  function set(next: readonly ListEntry[]): void {
    entries.value = [...next].sort((a, b) => b.updatedAtMs - a.updatedAtMs);
    localStorage.setItem(storageKey, JSON.stringify(entries.value.slice(0, MAX_KEPT)));
  }

  function saveRenamed(): void {
    localStorage.setItem(renamedKey, JSON.stringify([...renamed]));
  }

  async function tellTitle(id: string, title: string): Promise<void> {
    await api.request(`/v1/conversations/${encodeURIComponent(id)}`, jsonBody('PATCH', { title }));
    // It may have been renamed again meanwhile.
    if (renamed.get(id) === title) renamed.delete(id);
    saveRenamed();
  }

  function toEntry({ id, title, updated_at: updatedAt }: ListedConversation): ListEntry {
    const known = entries.value.find((entry) => entry.id === id);
    return { id, title: renamed.get(id) ?? (title || known?.title || ''), updatedAtMs: updatedAt * 1000 };
  }
  const listed = (page: ConversationPage) =>
    page.data.filter(({ id }) => !removing.has(id) && !removed.has(id)).map(toEntry);

  /** The sessions as they are this moment, with the titles of those that are archived by now, and older ones besides. */
  async function read(after?: string): Promise<{ fresh: ListEntry[]; more: boolean }> {
    const query = after === undefined ? '' : `?after=${encodeURIComponent(after)}`;
    const empty: ConversationPage = { data: [], has_more: false };
    const page = (path: string) => api.json<ConversationPage>(path + query);
    const [sessions, kept] = await Promise.all([
      // Who is only on the second list has no place on the first.
      after === undefined ? page('/v1/sessions') : page('/v1/sessions').catch(() => empty),
      // The archive is a convenience, and may take a moment to start; its titles come with the next load.
      hasTitles ? page('/v1/conversations').catch(() => empty) : empty,
    ]);
    const byId = new Map(listed(sessions).map((entry) => [entry.id, entry]));
    for (const { id } of kept.data) {
      archived.add(id);
      const title = renamed.get(id);
      if (title !== undefined) void tellTitle(id, title).catch(() => undefined);
    }
    for (const entry of listed(kept)) {
      const session = byId.get(entry.id);
      byId.set(entry.id, { ...entry, updatedAtMs: Math.max(entry.updatedAtMs, session?.updatedAtMs ?? 0) });
    }
    return { fresh: [...byId.values()], more: sessions.has_more || kept.has_more };
  }

  async function load(): Promise<void> {
    const { fresh, more } = await read();
    const oldest = Math.min(...fresh.map(({ updatedAtMs }) => updatedAtMs));
    const ids = new Set(fresh.map(({ id }) => id));
    // What began this moment may not be listed yet, and what is older than the page is on the next one.
    const kept = entries.value.filter(
      ({ id, updatedAtMs }) =>
        !ids.has(id) && (updatedAtMs > Date.now() - JUST_NOW_MS || (more && updatedAtMs < oldest)),
    );
    set([...fresh, ...kept]);
    hasMore.value = more;
  }

  async function remove(id: string, keepalive = false): Promise<void> {
    removing.delete(id);
    removed.add(id);
    await api
      .request(`/v1/sessions/${encodeURIComponent(id)}`, { method: 'DELETE', keepalive })
      // It is still there, and the next load shows it.
      .catch(() => void removed.delete(id));
  }

  return {
    entries,
    hasMore,
    load,
    async loadMore() {
      const last = entries.value.at(-1);
      if (!last) return;
      const { fresh, more } = await read(last.id);
      const ids = new Set(entries.value.map(({ id }) => id));
      const added = fresh.filter(({ id }) => !ids.has(id));
      set([...entries.value, ...added]);
      hasMore.value = more && added.length > 0;
    },
    refreshSoon() {
      // The archive has a conversation, and its title, a while after its turn.
      for (const timer of refreshing) clearTimeout(timer);
      refreshing = REFRESH_MS.map((ms) => setTimeout(() => void load().catch(() => undefined), ms));
    },
    async search(query) {
      const wanted = query.toLowerCase();
      const byTitle = entries.value.filter(({ title }) => title.toLowerCase().includes(wanted));
      if (!hasTitles) return byTitle;
      const path = `/v1/conversations?q=${encodeURIComponent(query)}`;
      const said = await api.json<ConversationPage>(path).then(listed, () => []);
      const ids = new Set(byTitle.map(({ id }) => id));
      return [...byTitle, ...said.filter(({ id }) => !ids.has(id))];
    },
    touch(id, title) {
      const known = entries.value.find((entry) => entry.id === id);
      const entry = { id, title: known?.title || toTitle(title), updatedAtMs: Date.now() };
      set([entry, ...entries.value.filter((other) => other.id !== id)]);
    },
    async rename(id, title) {
      set(entries.value.map((entry) => (entry.id === id ? { ...entry, title } : entry)));
      renamed.set(id, title);
      saveRenamed();
      if (archived.has(id)) await tellTitle(id, title);
    },
    remove(id) {
      const entry = entries.value.find((other) => other.id === id);
      set(entries.value.filter((other) => other.id !== id));
      removing.set(
        id,
        setTimeout(() => void remove(id), UNDO_MS),
      );
      return () => {
        if (!removing.has(id)) return;
        clearTimeout(removing.get(id));
        removing.delete(id);
        if (entry) set([...entries.value, entry]);
      };
    },
    flush() {
      for (const [id, timer] of [...removing]) {
        clearTimeout(timer);
        void remove(id, true);
      }
    },
  };
}

/** The first line of a question, until the server knows better. */
export function toTitle(text: string): string {
  const line = text.trim().split('\n')[0] ?? '';
  const characters = [...line];
  return characters.length <= TITLE_CHARS ? line : `${characters.slice(0, TITLE_CHARS).join('').trimEnd()}…`;
}
