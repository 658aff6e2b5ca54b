/** The operator's routes for API keys: create, list, revoke. The core stores them; see `shared/protocol/key-protocol.ts`. */
import { type ApiKey, newApiKeySchema } from '../../shared/protocol/key-protocol.ts';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { KeyDirectory } from '../auth/key-directory.ts';
import type { CoreCall } from '../core-client/core-call.ts';
import type { EdgeContext } from './edge-hono.ts';
import { readJson } from './json-body.ts';

export interface KeysRouteOptions {
  callCore: CoreCall;
  keys: Pick<KeyDirectory, 'forget'>;
}

export function keysRoute({ callCore, keys }: KeysRouteOptions) {
  return {
    /** Only this response contains the `key` itself. */
    async create(c: EdgeContext): Promise<Response> {
      const wanted = parseInput(newApiKeySchema, await readJson(c));
      const request = {
        method: 'POST',
        path: '/v1/keys',
        body: JSON.stringify(wanted),
        createsNew: true,
      } as const;
      const response = await callCore(c.get('request'), request);
      const { key, ...record }: ApiKey & { key: string } = await response.json();
      return c.json({ ...toKey(record), key }, 201);
    },

    async list(c: EdgeContext): Promise<Response> {
      const response = await callCore(c.get('request'), { method: 'GET', path: '/v1/keys' });
      const { data }: { data: ApiKey[] } = await response.json();
      return c.json({ object: 'list', data: data.map(toKey) });
    },

    /** Takes effect in other isolates within a minute. */
    async revoke(c: EdgeContext<'/v1/keys/:id'>): Promise<Response> {
      const path = `/v1/keys/${encodeURIComponent(c.req.param('id'))}`;
      const response = await callCore(c.get('request'), { method: 'DELETE', path });
      const key: ApiKey = await response.json();
      keys.forget(key.id);
      return c.json(toKey(key));
    },
  };
}

function toKey(key: ApiKey): object {
  const { id, name, prefix, plan, scopes } = key;
  return {
    object: 'api_key',
    id,
    name,
    prefix,
    plan,
    scopes,
    created_at: toSeconds(key.createdAtMs),
    expires_at: toSeconds(key.expiresAtMs),
    revoked_at: toSeconds(key.revokedAtMs),
    last_used_at: toSeconds(key.lastUsedAtMs),
  };
}

function toSeconds(ms: number | null): number | null {
  return ms === null ? null : Math.floor(ms / 1000);
}
