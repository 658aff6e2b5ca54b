/** `shared/protocol/key-protocol.ts`, served. */
import { AppError } from '../../shared/errors.ts';
import { GRANT_SCOPE, keyNameSchema, newApiKeySchema } from '../../shared/protocol/key-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { ApiKeys } from '../keys/api-keys.ts';
import type { CoreHandler } from './core-hono.ts';
import { parseBodyJson } from './parse-body-json.ts';

export function keysRoute({
  keys,
  now,
}: {
  keys: ApiKeys;
  now: () => number;
}): Record<'create' | 'list' | 'revoke' | 'use', CoreHandler> {
  return {
    async create(c) {
      const caller = c.get('request');
      const wanted = parseInput(newApiKeySchema, parseBodyJson(c));
      const { name, plan = caller.plan, scopes, expires_at: expiresAt } = wanted;
      refuseBeyondOwn(caller, plan, scopes);
      const expiresAtMs = expiresAt == null ? undefined : expiresAt * 1000;
      if (expiresAtMs !== undefined && expiresAtMs <= now()) {
        const message = "Invalid value for 'expires_at': it is in the past.";
        throw new AppError('invalid_value', { param: 'expires_at', message });
      }
      const { tenant } = caller;
      const { key, record } = await keys.create({ tenant, name, plan, scopes, expiresAtMs });
      return c.json({ ...record, key });
    },
    async list(c) {
      return c.json({ data: await keys.list(c.get('request').tenant) });
    },
    async revoke(c) {
      return c.json(await keys.revoke(c.get('request').tenant, c.req.param('id') ?? ''));
    },
    async use(c) {
      const key = await keys.use(parseInput(keyNameSchema, parseBodyJson(c)));
      if (!key) throw new AppError('key_not_found');
      return c.json(key);
    },
  };
}

/** Nobody gives what it does not have. @throws AppError `insufficient_scope` that names the field */
function refuseBeyondOwn(caller: RequestContext, plan: string, scopes: readonly string[]): void {
  if (caller.scopes.includes(GRANT_SCOPE)) return;
  if (plan !== caller.plan) {
    const message = `Your plan is '${caller.plan}': you cannot create a key with another one.`;
    throw new AppError('insufficient_scope', { param: 'plan', message });
  }
  const beyond = scopes.find((scope) => !caller.scopes.includes(scope));
  if (beyond !== undefined) {
    const message = `You do not have the scope '${beyond}'.`;
    throw new AppError('insufficient_scope', { param: 'scopes', message });
  }
}
