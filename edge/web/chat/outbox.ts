/** Questions that the server has not taken yet. Kept over a reload of the tab, in order, under their idempotency key. */

export interface Outgoing {
  /** Idempotency key, and the name under which the turn comes back. */
  key: string;
  text: string;
  /** Data addresses. */
  images: string[];
  /** The message that it follows; the newest without it. */
  parentId?: string | null;
  /** The turn whose question is answered once more; there is no text then. */
  again?: string;
  model: string;
  knowledge: boolean;
  askedAtMs: number;
}

export interface Outbox {
  readonly entries: readonly Outgoing[];
  add(entry: Outgoing): void;
  remove(key: string): void;
}

export function createOutbox(sessionId: string, storage: Storage = sessionStorage): Outbox {
  const name = `edgewise.outbox.${sessionId}`;
  let entries: Outgoing[] = JSON.parse(storage.getItem(name) ?? '[]');
  function save(): void {
    try {
      if (entries.length === 0) storage.removeItem(name);
      else storage.setItem(name, JSON.stringify(entries));
    } catch {
      // Full, as with large images: what waits is then lost by a reload, and by nothing else.
    }
  }
  return {
    get entries() {
      return entries;
    },
    add(entry) {
      entries = [...entries, entry];
      save();
    },
    remove(key) {
      entries = entries.filter((entry) => entry.key !== key);
      save();
    },
  };
}
