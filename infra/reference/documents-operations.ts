/** Documents that answers can rest on. */
import * as v from 'valibot';
import { corePage, deletion, described, listOf, type Operation, pathId, unixSeconds } from './operation.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const document = v.object({
  id: v.string(),
  object: v.literal('document'),
  name: v.string(),
  title: v.string(),
  media_type: v.string(),
  bytes: count,
  passages: described(count, 'Passages that can be found and cited.', '可检索和引用的段落数。'),
  shared: described(
    v.boolean(),
    'Whether every user of the tenant can use it.',
    '租户内的所有用户是否都可使用。',
  ),
  status: v.literal('ready'),
  created_at: unixSeconds,
  updated_at: unixSeconds,
});

export const documentsSchemas = {
  DocumentUpload: v.object({
    file: described(
      v.string(),
      'A PDF, DOCX, HTML, Markdown or text file.',
      'PDF、DOCX、HTML、Markdown 或文本文件。',
    ),
    name: v.optional(described(v.string(), 'The name; that of the file by default.', '名称；默认取文件名。')),
    shared: v.optional(
      described(
        v.picklist(['true', 'false']),
        '`true` for every user of the tenant; needs the scope `admin`.',
        '设为 `true` 则租户内所有用户可用；需要 `admin` 权限。',
      ),
      'false',
    ),
  }),
  Document: document,
  DocumentUploaded: v.object({
    ...document.entries,
    outcome: described(
      v.picklist(['created', 'updated', 'unchanged']),
      'A document with the same name is replaced.',
      '同名文档会被替换。',
    ),
  }),
  DocumentList: listOf(document),
  DocumentPassage: v.object({
    object: v.literal('document.passage'),
    document_id: v.string(),
    title: v.string(),
    number: count,
    heading: v.nullable(v.string()),
    text: v.string(),
  }),
  DocumentDeleted: deletion('document.deleted'),
};

const documentId = pathId('The id of the document.', '文档的 id。');

export const documentsOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/documents',
    id: 'createDocument',
    area: 'documents',
    summary: { en: 'Add a document', zh: '添加文档' },
    text: {
      en: 'Answers with `knowledge: true` search the documents and cite them.',
      zh: '带 `knowledge: true` 的回答会检索这些文档并给出引用。',
    },
    body: { schema: 'DocumentUpload', form: { file: '@handbook.pdf' } },
    answers: [
      { status: 201, schema: 'DocumentUploaded', text: { en: 'It is new.', zh: '新增成功。' } },
      {
        status: 200,
        schema: 'DocumentUploaded',
        text: { en: 'It was there: updated or unchanged.', zh: '此前已有：已更新或无变化。' },
      },
    ],
    errors: [
      'missing_required_parameter',
      'invalid_value',
      'document_unreadable',
      'document_limit',
      'unsupported_media_type',
      'request_too_large',
    ],
  },
  {
    method: 'get',
    path: '/v1/documents',
    id: 'listDocuments',
    area: 'documents',
    summary: { en: 'List documents', zh: '列出文档' },
    parameters: corePage,
    answers: [
      {
        status: 200,
        schema: 'DocumentList',
        text: {
          en: 'A page of documents: the user’s own and the shared ones.',
          zh: '一页文档：用户自己的与共享的。',
        },
      },
    ],
  },
  {
    method: 'get',
    path: '/v1/documents/:id',
    id: 'readDocument',
    area: 'documents',
    summary: { en: 'Read a document’s description', zh: '读取文档信息' },
    parameters: [documentId],
    answers: [{ status: 200, schema: 'Document', text: { en: 'The document.', zh: '文档。' } }],
    errors: ['document_not_found'],
  },
  {
    method: 'get',
    path: '/v1/documents/:id/passages/:number',
    id: 'readPassage',
    area: 'documents',
    summary: { en: 'Read a passage that was cited', zh: '读取被引用的段落' },
    parameters: [
      documentId,
      {
        in: 'path',
        name: 'number',
        isRequired: true,
        schema: { type: 'integer', minimum: 1 },
        text: { en: 'The number of the passage, from 1.', zh: '段落编号，从 1 开始。' },
      },
    ],
    answers: [{ status: 200, schema: 'DocumentPassage', text: { en: 'The passage.', zh: '段落。' } }],
    errors: ['document_not_found'],
  },
  {
    method: 'delete',
    path: '/v1/documents/:id',
    id: 'deleteDocument',
    area: 'documents',
    summary: { en: 'Delete a document', zh: '删除文档' },
    text: { en: 'A shared one needs the scope `admin`.', zh: '删除共享文档需要 `admin` 权限。' },
    parameters: [documentId],
    answers: [{ status: 200, schema: 'DocumentDeleted', text: { en: 'It is deleted.', zh: '已删除。' } }],
    errors: ['document_not_found', 'insufficient_scope'],
  },
];
