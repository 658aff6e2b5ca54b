/** The person's documents, where the server keeps any: what answers may quote. */
import { type Signal, signal } from '@preact/signals';
import type { Api, DocumentInfo } from '../chat/api.ts';

export interface Documents {
  readonly offered: boolean;
  readonly entries: Signal<readonly DocumentInfo[]>;
  load(): Promise<void>;
  add(file: File): Promise<DocumentInfo>;
  remove(id: string): Promise<void>;
}

export function createDocuments(api: Api, offered: boolean): Documents {
  const entries = signal<readonly DocumentInfo[]>([]);
  async function load(): Promise<void> {
    if (offered) entries.value = (await api.json<{ data: DocumentInfo[] }>('/v1/documents?limit=100')).data;
  }
  return {
    offered,
    entries,
    load,
    async add(file) {
      const body = new FormData();
      body.append('file', file);
      const added = await api.json<DocumentInfo>('/v1/documents', { method: 'POST', body });
      await load();
      return added;
    },
    async remove(id) {
      await api.request(`/v1/documents/${encodeURIComponent(id)}`, { method: 'DELETE' });
      await load();
    },
  };
}
