/** Export and removal of all data of a user: one's own, or that of any user of the tenant for its admins. */
import { AppError } from '../../shared/errors.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import { directoryOf } from '../session/directory-object.ts';
import { sessionOf } from '../session/session-stub.ts';
import { type CacheRemoval, removeAnswers } from './cache-route.ts';
import type { EdgeContext } from './edge-hono.ts';
import type { ProxyToCore } from './proxy-to-core.ts';

const MAX_USER_CHARS = 256;
/** Session objects called at the same time. */
const AT_ONCE = 16;

export interface UserDataRouteOptions {
  /** Whether turns are archived at all. */
  isArchiveOn: boolean;
  cache: CacheRemoval | undefined;
  proxyToCore: ProxyToCore;
  /** Unix time in milliseconds. */
  now: () => number;
}

export function userDataRoute({ isArchiveOn, cache, proxyToCore, now }: UserDataRouteOptions) {
  return {
    /** JSON Lines from the archive. The query's `user` selects another user. */
    async export(c: EdgeContext): Promise<Response> {
      const owner = ownerOf(c, c.req.query('user'));
      if (!isArchiveOn)
        throw new AppError('unsupported_value', {
          message: 'Nothing is archived here (EDGEWISE_ARCHIVE is off).',
        });
      const archived = await ofAllSessions({ c, owner, nowMs: now() }, (sessionId) =>
        sessionOf(c.env, { ...owner, sessionId }).archiveNow(),
      );
      // An export without the newest messages would be incomplete.
      if (archived.includes(false)) throw new AppError('core_unavailable', { retryAfterMs: 1000 });
      return proxyToCore(c);
    },

    /** Removes data at the edge first, then in the core. Can be repeated after a failure. */
    async remove(c: EdgeContext<'/v1/users/:id'>): Promise<Response> {
      const owner = ownerOf(c, c.req.param('id'));
      const outcomes = await ofAllSessions({ c, owner, nowMs: now() }, (sessionId) =>
        removeSession(c, { ...owner, sessionId }),
      );
      await directoryOf(c.env, owner).clear();
      const cachedAnswers = await removeAnswers(c, cache, { user: owner.user });
      const core = await (await proxyToCore(c)).json<{ removed: Record<string, number> }>();
      return c.json({
        object: 'user.deleted',
        id: owner.user,
        deleted: true,
        deleted_at: Math.floor(now() / 1000),
        removed: {
          sessions: outcomes.filter(Boolean).length,
          cached_answers: cachedAnswers,
          ...core.removed,
        },
        kept: [
          'Counters of limits and budgets, which hold the user’s id and numbers, until their windows are over.',
          'Copies of cached answers in other isolates, for a minute at most.',
          'Backups that the operator has made, until they are replaced.',
        ],
      });
    },
  };
}

type Owner = Pick<RequestContext, 'tenant' | 'user'>;

function ownerOf(c: EdgeContext, id: string | undefined): Owner {
  const { tenant, user, scopes } = c.get('request');
  if (id === undefined || id === user) return { tenant, user };
  if (!scopes.includes('admin'))
    throw new AppError('insufficient_scope', { message: "Another user's data needs the scope 'admin'." });
  if (id === '' || id.length > MAX_USER_CHARS)
    throw new AppError('invalid_value', { param: 'user', message: "'user' is no user's id." });
  return { tenant, user: id };
}

async function ofAllSessions<T>(
  { c, owner, nowMs }: { c: EdgeContext; owner: Owner; nowMs: number },
  work: (id: string) => Promise<T>,
): Promise<T[]> {
  const ids = await directoryOf(c.env, owner).all(nowMs);
  const results: T[] = [];
  for (let start = 0; start < ids.length; start += AT_ONCE)
    results.push(...(await Promise.all(ids.slice(start, start + AT_ONCE).map(work))));
  return results;
}

/** @returns whether the session existed */
async function removeSession(c: EdgeContext, key: Owner & { sessionId: string }): Promise<boolean> {
  const reply = await sessionOf(c.env, key).remove(key, true);
  if (!reply.ok && reply.error.code !== 'session_not_found') throw AppError.fromInfo(reply.error);
  return reply.ok;
}
