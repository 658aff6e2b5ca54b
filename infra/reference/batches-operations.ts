/** OpenAI's Files and Batch API. */
import * as v from 'valibot';
import { newBatchSchema } from '../../core/http/batches-route.ts';
import {
  corePage,
  deletion,
  described,
  listOf,
  noTime,
  type Operation,
  pathId,
  unixSeconds,
} from './operation.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const file = v.object({
  id: v.string(),
  object: v.literal('file'),
  bytes: count,
  created_at: unixSeconds,
  filename: v.string(),
  purpose: v.picklist(['batch', 'batch_output']),
  status: v.literal('processed'),
});

const batch = v.object({
  id: v.string(),
  object: v.literal('batch'),
  endpoint: v.string(),
  errors: described(
    v.nullable(
      v.object({
        object: v.literal('list'),
        data: v.array(
          v.object({
            code: v.string(),
            message: v.string(),
            line: described(
              v.nullable(v.number()),
              'The line of the file, from 1.',
              '文件中的行号，从 1 开始。',
            ),
            param: v.nullable(v.string()),
          }),
        ),
      }),
    ),
    'What is wrong with the input file.',
    '输入文件的问题。',
  ),
  input_file_id: v.string(),
  completion_window: v.string(),
  status: v.picklist([
    'validating',
    'failed',
    'in_progress',
    'finalizing',
    'completed',
    'expired',
    'cancelling',
    'cancelled',
  ]),
  output_file_id: described(v.nullable(v.string()), 'The answers.', '回答所在的文件。'),
  error_file_id: described(v.nullable(v.string()), 'The lines that failed.', '失败的行所在的文件。'),
  created_at: unixSeconds,
  in_progress_at: noTime,
  expires_at: unixSeconds,
  finalizing_at: noTime,
  completed_at: noTime,
  failed_at: noTime,
  expired_at: noTime,
  cancelling_at: noTime,
  cancelled_at: noTime,
  request_counts: v.object({ total: count, completed: count, failed: count }),
  metadata: v.nullable(v.record(v.string(), v.string())),
});

export const batchesSchemas = {
  FileUpload: v.object({
    file: described(v.string(), 'The file: UTF-8, one request per line.', '文件：UTF-8，每行一个请求。'),
    purpose: v.literal('batch'),
  }),
  File: file,
  FileList: listOf(file),
  FileDeleted: deletion('file'),
  NewBatch: newBatchSchema,
  Batch: batch,
  BatchList: listOf(batch),
};

const fileId = pathId('The id of the file.', '文件的 id。');
const batchId = pathId('The id of the batch.', '批次的 id。');

export const batchesOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/files',
    id: 'createFile',
    area: 'batches',
    scope: 'batch',
    summary: { en: 'Upload a file', zh: '上传文件' },
    body: { schema: 'FileUpload', form: { purpose: 'batch', file: '@requests.jsonl' } },
    answers: [{ status: 200, schema: 'File', text: { en: 'The file.', zh: '文件。' } }],
    errors: ['missing_required_parameter', 'unsupported_value', 'invalid_value', 'request_too_large'],
  },
  {
    method: 'get',
    path: '/v1/files',
    id: 'listFiles',
    area: 'batches',
    scope: 'batch',
    summary: { en: 'List files', zh: '列出文件' },
    parameters: corePage,
    answers: [{ status: 200, schema: 'FileList', text: { en: 'A page of files.', zh: '一页文件。' } }],
  },
  {
    method: 'get',
    path: '/v1/files/:id',
    id: 'readFile',
    area: 'batches',
    scope: 'batch',
    summary: { en: 'Read a file’s description', zh: '读取文件信息' },
    parameters: [fileId],
    answers: [{ status: 200, schema: 'File', text: { en: 'The file.', zh: '文件。' } }],
    errors: ['file_not_found'],
  },
  {
    method: 'get',
    path: '/v1/files/:id/content',
    id: 'readFileContent',
    area: 'batches',
    scope: 'batch',
    summary: { en: 'Read a file’s content', zh: '读取文件内容' },
    parameters: [fileId],
    answers: [
      { status: 200, type: 'application/jsonl', text: { en: 'The lines of the file.', zh: '文件的各行。' } },
    ],
    errors: ['file_not_found'],
  },
  {
    method: 'delete',
    path: '/v1/files/:id',
    id: 'deleteFile',
    area: 'batches',
    scope: 'batch',
    summary: { en: 'Delete a file', zh: '删除文件' },
    parameters: [fileId],
    answers: [{ status: 200, schema: 'FileDeleted', text: { en: 'It is deleted.', zh: '已删除。' } }],
    errors: ['file_not_found', 'file_in_use'],
  },
  {
    method: 'post',
    path: '/v1/batches',
    id: 'createBatch',
    area: 'batches',
    scope: 'batch',
    summary: { en: 'Start a batch', zh: '启动批处理' },
    text: {
      en: 'The lines are answered in the background, after interactive requests. They pass neither the limits of a plan nor the content filter.',
      zh: '各行在后台回答，优先级低于交互请求；不受套餐限额约束，也不经过内容过滤。',
    },
    body: {
      schema: 'NewBatch',
      example: { input_file_id: 'file-...', endpoint: '/v1/chat/completions', completion_window: '24h' },
    },
    answers: [{ status: 200, schema: 'Batch', text: { en: 'The batch.', zh: '批次。' } }],
    errors: ['file_not_found', 'invalid_value', 'missing_required_parameter'],
  },
  {
    method: 'get',
    path: '/v1/batches',
    id: 'listBatches',
    area: 'batches',
    scope: 'batch',
    summary: { en: 'List batches', zh: '列出批次' },
    parameters: corePage,
    answers: [{ status: 200, schema: 'BatchList', text: { en: 'A page of batches.', zh: '一页批次。' } }],
  },
  {
    method: 'get',
    path: '/v1/batches/:id',
    id: 'readBatch',
    area: 'batches',
    scope: 'batch',
    summary: { en: 'Read a batch', zh: '读取批次' },
    parameters: [batchId],
    answers: [{ status: 200, schema: 'Batch', text: { en: 'The batch.', zh: '批次。' } }],
    errors: ['batch_not_found'],
  },
  {
    method: 'post',
    path: '/v1/batches/:id/cancel',
    id: 'cancelBatch',
    area: 'batches',
    scope: 'batch',
    summary: { en: 'Cancel a batch', zh: '取消批次' },
    text: {
      en: 'Lines that are answered already stay in the output file.',
      zh: '已回答的行仍保留在输出文件中。',
    },
    parameters: [batchId],
    answers: [{ status: 200, schema: 'Batch', text: { en: 'The batch.', zh: '批次。' } }],
    errors: ['batch_not_found'],
  },
];
