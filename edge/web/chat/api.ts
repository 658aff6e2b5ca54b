/** The edge's plain requests, as the page makes them. What the server does not offer is `undefined`, not an error. */
import { EdgewiseError, readError } from '../../../shared/client/edgewise-error.ts';
import type { ModelInfo } from '../../../shared/protocol/generation-protocol.ts';
import type { TokenKeeper } from '../account/token-keeper.ts';
import type { StoredMessage } from './message-tree.ts';

export interface HistoryPage {
  messages: StoredMessage[];
  has_more: boolean;
}

export interface ListedConversation {
  id: string;
  title?: string | null;
  /** Unix seconds. */
  created_at: number;
  updated_at: number;
}

export interface ConversationPage {
  data: ListedConversation[];
  has_more: boolean;
}

export interface DocumentInfo {
  id: string;
  title: string;
  status: string;
  passages?: number;
}

export interface Api {
  request(path: string, init?: RequestInit): Promise<Response>;
  json<T>(path: string, init?: RequestInit): Promise<T>;
  /** As `json`, where the server may not have the address at all. */
  offered<T>(path: string, init?: RequestInit): Promise<T | undefined>;
  history(sessionId: string, limit: number, before?: number): Promise<HistoryPage>;
  models(): Promise<ModelInfo[]>;
}

export function createApi(keeper: TokenKeeper, ask: typeof fetch = fetch.bind(globalThis)): Api {
  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    for (let tries = 1; ; tries++) {
      const token = await keeper.token();
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${token}`);
      const response = await ask(path, { ...init, headers });
      if (response.ok) return response;
      const error = await readError(response);
      if (response.status === 401) keeper.refused(token);
      // The renewed token is worth one more try.
      if (response.status !== 401 || tries > 1 || !keeper.account.value) throw error;
    }
  }
  const json = async <T>(path: string, init?: RequestInit): Promise<T> => (await request(path, init)).json();
  return {
    request,
    json,
    async offered<T>(path: string, init?: RequestInit) {
      try {
        return await json<T>(path, init);
      } catch (error) {
        if (error instanceof EdgewiseError && (error.status === 404 || error.status === 405))
          return undefined;
        throw error;
      }
    },
    async history(sessionId, limit, before) {
      const query = before === undefined ? `limit=${limit}` : `limit=${limit}&before=${before}`;
      try {
        return await json<HistoryPage>(`/v1/sessions/${encodeURIComponent(sessionId)}?${query}`);
      } catch (error) {
        // A conversation that has not begun.
        if (error instanceof EdgewiseError && error.status === 404) return { messages: [], has_more: false };
        throw error;
      }
    },
    async models() {
      return (await json<{ data: ModelInfo[] }>('/v1/models')).data;
    },
  };
}

export function jsonBody(method: string, body: object): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
