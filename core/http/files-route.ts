/** `/v1/files`: OpenAI's files, of lines for batches. */
import { AppError } from '../../shared/errors.ts';
import type { Files } from '../batches/files.ts';
import type { CoreContext, CoreHandler } from './core-hono.ts';
import { parsePage, toList } from './list.ts';
import { readForm } from './read-form.ts';

export function filesRoute({
  files,
}: {
  files: Files;
}): Record<'create' | 'list' | 'read' | 'content' | 'remove', CoreHandler> {
  return {
    async create(c) {
      return c.json(await files.create(c.get('request'), await readUpload(c)));
    },
    async list(c) {
      return c.json(toList(await files.list(c.get('request'), parsePage(c))));
    },
    async read(c) {
      return c.json(await files.get(c.get('request'), c.req.param('id') ?? ''));
    },
    async content(c) {
      const pieces = await files.content(c.get('request'), c.req.param('id') ?? '');
      const utf8 = new TextEncoder();
      const body = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const { done, value } = await pieces.next();
            if (done) controller.close();
            else controller.enqueue(utf8.encode(value));
          },
          async cancel() {
            await pieces.return();
          },
        },
        { highWaterMark: 0 },
      );
      return new Response(body, {
        headers: { 'content-type': 'application/jsonl', 'cache-control': 'no-store' },
      });
    },
    async remove(c) {
      const id = c.req.param('id') ?? '';
      await files.remove(c.get('request'), id);
      return c.json({ id, object: 'file', deleted: true });
    },
  };
}

async function readUpload(c: CoreContext): Promise<{ filename: string; text: string }> {
  const form = await readForm(c);
  const purpose = form.get('purpose');
  if (purpose === null) throw new AppError('missing_required_parameter', { param: 'purpose' });
  if (purpose !== 'batch')
    throw new AppError('unsupported_value', { param: 'purpose', message: "'purpose' must be 'batch'." });
  const file = form.get('file');
  if (!(file instanceof File)) throw new AppError('missing_required_parameter', { param: 'file' });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
  } catch (cause) {
    throw new AppError('invalid_value', { param: 'file', message: 'The file is not valid UTF-8.', cause });
  }
  // No JSON has it, and no text of PostgreSQL's can hold it.
  if (text.includes('\0'))
    throw new AppError('invalid_value', { param: 'file', message: 'The file holds a null character.' });
  return { filename: file.name.slice(0, 255), text };
}
