/** A context store that brings back from the archive what it has forgotten. */
import type { ConversationNotes } from '../../shared/protocol/memory-protocol.ts';
import type { ArchiveClient } from '../core-client/archive-client.ts';
import type { ContextStore } from './context-store.ts';

export interface ArchivedOptions {
  /** Whether there is something to bring back; nobody is asked otherwise. */
  isArchived: () => boolean;
  /** What comes back besides the messages. */
  onNotes: (notes: ConversationNotes) => void;
}

export function withArchive(
  store: ContextStore,
  archive: ArchiveClient,
  { isArchived, onNotes }: ArchivedOptions,
): ContextStore {
  return {
    ...store,
    async tail(key, limit, before) {
      const tail = await store.tail(key, limit, before);
      if (tail.version > 0 || !isArchived()) return tail;
      const kept = await archive.session(key, key.sessionId);
      if (!kept || kept.messages.length === 0) return tail;
      const messages = kept.messages.map(({ position: _, ...message }) => message);
      const system = kept.system.length > 0 ? kept.system : undefined;
      if (kept.notes) onNotes(kept.notes);
      await store.append(key, { expectedVersion: 0, messages, system });
      return store.tail(key, limit, before);
    },
  };
}
