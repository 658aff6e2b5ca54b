/** The core's part of a user's rights: `GET /v1/export` and `DELETE /v1/users/:id`. The edge has its own, and asks here last. */
import { AppError } from '../../shared/errors.ts';
import type { ExportUser } from '../user-data/export-user.ts';
import type { RemoveUser } from '../user-data/remove-user.ts';
import type { CoreContext, CoreHandler } from './core-hono.ts';

export function userDataRoute({
  exportUser,
  removeUser,
}: {
  exportUser: ExportUser;
  removeUser: RemoveUser;
}): Record<'export' | 'remove', CoreHandler> {
  return {
    async export(c) {
      const { tenant } = c.get('request');
      const lines = exportUser({ tenant, user: userOf(c, c.req.query('user')) });
      const utf8 = new TextEncoder();
      const body = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const { done, value } = await lines.next();
            if (done) controller.close();
            else controller.enqueue(utf8.encode(value));
          },
          async cancel() {
            await lines.return();
          },
        },
        { highWaterMark: 0 },
      );
      const headers = { 'content-type': 'application/jsonl; charset=utf-8', 'cache-control': 'no-store' };
      return new Response(body, { headers });
    },
    async remove(c) {
      const { tenant } = c.get('request');
      return c.json({ removed: await removeUser({ tenant, user: userOf(c, c.req.param('id')) }) });
    },
  };
}

/** Oneself, or anybody of the tenant with the scope `admin`. */
function userOf(c: CoreContext, id: string | undefined): string {
  const { user, scopes } = c.get('request');
  if (id === undefined || id === user) return user;
  if (!scopes.includes('admin'))
    throw new AppError('insufficient_scope', { message: "Another user's data needs the scope 'admin'." });
  return id;
}
