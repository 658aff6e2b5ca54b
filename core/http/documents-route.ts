/** `/v1/documents`: what answers can rest on. */
import { AppError } from '../../shared/errors.ts';
import type { DocumentRow, Documents, NewDocument } from '../knowledge/documents.ts';
import { documentTypeOf, mediaTypes } from '../knowledge/parse/media-types.ts';
import type { CoreContext, CoreHandler } from './core-hono.ts';
import { parsePage, toList } from './list.ts';
import { readForm } from './read-form.ts';

const MAX_NAME_CHARS = 500;

type Name = 'create' | 'list' | 'read' | 'passage' | 'remove';

export function documentsRoute({ documents }: { documents: Documents }): Record<Name, CoreHandler> {
  return {
    async create(c) {
      const { document, outcome } = await documents.ingest(ownerOf(c), await readUpload(c));
      return c.json({ ...toDocument(document), outcome }, outcome === 'created' ? 201 : 200);
    },
    async list(c) {
      const { data, hasMore } = await documents.list(ownerOf(c), parsePage(c));
      return c.json(toList({ data: data.map(toDocument), hasMore }));
    },
    async read(c) {
      return c.json(toDocument(await documents.get(ownerOf(c), idOf(c))));
    },
    async passage(c) {
      const number = c.req.param('number') ?? '';
      if (!/^[1-9]\d{0,8}$/.test(number)) throw new AppError('document_not_found', { param: 'passage' });
      const { document, heading, text } = await documents.passage(ownerOf(c), idOf(c), Number(number));
      return c.json({
        object: 'document.passage',
        document_id: document.id,
        title: document.title,
        number: Number(number),
        heading,
        text,
      });
    },
    async remove(c) {
      await documents.remove(ownerOf(c), idOf(c), isAdmin(c));
      return c.json({ id: idOf(c), object: 'document.deleted', deleted: true });
    },
  };
}

function ownerOf(c: CoreContext) {
  const { tenant, user } = c.get('request');
  return { tenant, user };
}

function isAdmin(c: CoreContext): boolean {
  return c.get('request').scopes.includes('admin');
}

function idOf(c: CoreContext): string {
  return c.req.param('id') ?? '';
}

async function readUpload(c: CoreContext): Promise<NewDocument> {
  const form = await readForm(c);
  const file = form.get('file');
  if (!(file instanceof File)) throw new AppError('missing_required_parameter', { param: 'file' });
  const given = form.get('name');
  const name = typeof given === 'string' && given !== '' ? given : file.name;
  if (name === '' || name.length > MAX_NAME_CHARS || name.includes('\0'))
    throw new AppError('invalid_value', {
      param: 'name',
      message: `'name' must have 1 to ${MAX_NAME_CHARS} characters.`,
    });
  const shared = form.get('shared') ?? 'false';
  if (shared !== 'true' && shared !== 'false')
    throw new AppError('invalid_value', {
      param: 'shared',
      message: '\'shared\' must be "true" or "false".',
    });
  if (shared === 'true' && !isAdmin(c))
    throw new AppError('insufficient_scope', { message: "'shared' needs a token with the scope 'admin'." });
  const type = documentTypeOf(name, file.type) ?? documentTypeOf(file.name, file.type);
  if (!type) {
    const known = Object.values(mediaTypes).flat().join(', ');
    throw new AppError('unsupported_media_type', {
      param: 'file',
      message: `A document is one of: ${known}.`,
    });
  }
  return { name, type, bytes: new Uint8Array(await file.arrayBuffer()), isShared: shared === 'true' };
}

function toDocument(row: DocumentRow) {
  return {
    id: row.id,
    object: 'document',
    name: row.name,
    title: row.title,
    media_type: row.mediaType,
    bytes: row.bytes,
    passages: row.passages,
    shared: row.isShared,
    status: 'ready',
    created_at: Math.floor(row.createdAtMs / 1000),
    updated_at: Math.floor(row.updatedAtMs / 1000),
  };
}
