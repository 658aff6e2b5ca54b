/** The OpenAPI 3.1 document of the edge. */
import * as v from 'valibot';
import { type ErrorCode, errorRules } from '../../shared/errors.ts';
import { accessOperations, accessSchemas } from './access-operations.ts';
import { archiveOperations, archiveSchemas } from './archive-operations.ts';
import { batchesOperations, batchesSchemas } from './batches-operations.ts';
import { chatOperations, chatSchemas } from './chat-operations.ts';
import { documentsOperations, documentsSchemas } from './documents-operations.ts';
import { inEnglish, toComponents } from './json-schema.ts';
import { type Answer, areas, described, type JsonSchema, type Operation } from './operation.ts';
import { responsesOperations, responsesSchemas } from './responses-operations.ts';
import { serviceOperations, serviceSchemas } from './service-operations.ts';
import { sessionsOperations, sessionsSchemas } from './sessions-operations.ts';
import { tasksOperations, tasksSchemas } from './tasks-operations.ts';

export const operations: readonly Operation[] = [
  ...chatOperations,
  ...responsesOperations,
  ...sessionsOperations,
  ...tasksOperations,
  ...documentsOperations,
  ...archiveOperations,
  ...batchesOperations,
  ...accessOperations,
  ...serviceOperations,
];

const error = v.object({
  error: v.object({
    message: described(v.string(), 'Safe to show to people.', '可以直接展示给用户。'),
    type: described(v.string(), 'The kind of error, in OpenAI’s words.', '错误类别，沿用 OpenAI 的名称。'),
    param: described(
      v.nullable(v.string()),
      'The field at fault: `messages[0].content`.',
      '出错的字段，如 `messages[0].content`。',
    ),
    code: described(
      v.string(),
      'A code of the error reference. Decide by it.',
      '错误参考中的代码，程序应据此判断。',
    ),
    request_id: v.optional(
      described(v.string(), 'For support: logs have the same id.', '供排查用：日志中有相同的 id。'),
    ),
  }),
});

/** Every component, with its Chinese texts as `x-zh`. */
export const components: Readonly<Record<string, JsonSchema>> = toComponents({
  ...chatSchemas,
  ...responsesSchemas,
  ...sessionsSchemas,
  ...tasksSchemas,
  ...documentsSchemas,
  ...archiveSchemas,
  ...batchesSchemas,
  ...accessSchemas,
  ...serviceSchemas,
  Error: error,
});

/** What every route with a token can refuse. */
export const commonErrors: readonly ErrorCode[] = ['missing_token', 'invalid_token', 'token_expired'];

export function toOpenApi(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const path = operation.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [operation.method]: toOperation(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Edgewise',
      version,
      summary: 'One chat endpoint in OpenAI’s wire format.',
      description:
        'Every error is an `Error` object. `x-should-retry` tells whether the same request may succeed later, and `retry-after-ms` when. Every answer has an `x-request-id`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      {
        url: '{address}',
        description: 'The address of your edge.',
        variables: { address: { default: 'http://127.0.0.1:8787' } },
      },
    ],
    tags: Object.values(areas).map(({ en }) => ({ name: en })),
    security: [{ token: [] }],
    paths,
    components: {
      schemas: inEnglish(components),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key, a JWT of your identity provider, or a token of `POST /v1/tokens`.',
        },
        metrics: { type: 'http', scheme: 'bearer', description: '`EDGEWISE_METRICS_TOKEN`.' },
      },
    },
  };
}

function toOperation(operation: Operation): object {
  const { id, area, summary, text, access = 'token', scope, parameters = [], body } = operation;
  const notes = [text?.en, scope && `Needs the scope \`${scope}\`.`].filter((note) => note !== undefined);
  return {
    operationId: id,
    tags: [areas[area].en],
    summary: summary.en,
    ...(notes.length > 0 && { description: notes.join(' ') }),
    ...(access !== 'token' && { security: access === 'open' ? [] : [{ metrics: [] }] }),
    ...(parameters.length > 0 && {
      parameters: parameters.map(
        ({ in: place, name, isRequired = false, schema = { type: 'string' }, text }) => ({
          name,
          in: place,
          required: isRequired,
          description: text.en,
          schema,
        }),
      ),
    }),
    ...(body && {
      requestBody: {
        required: body.isOptional !== true,
        content: {
          [body.form ? 'multipart/form-data' : 'application/json']: {
            schema: refTo(body.schema),
            ...(body.example && { example: body.example }),
          },
        },
      },
    }),
    responses: toResponses(operation),
  };
}

function toResponses({ answers, errors = [], access = 'token' }: Operation): object {
  const responses: Record<string, object> = {};
  for (const status of new Set(answers.map((answer) => answer.status))) {
    const same = answers.filter((answer) => answer.status === status);
    const content = Object.assign({}, ...same.map(toContent));
    responses[status] = {
      description: same.map(({ text }) => text.en).join(' '),
      ...(Object.keys(content).length > 0 && { content }),
    };
  }
  const codes = new Set([...(access === 'token' ? commonErrors : []), ...errors]);
  for (const [status, group] of byStatus([...codes])) {
    responses[status] = toError(group.map((code) => `\`${code}\`: ${errorRules[code].message}`).join('\n\n'));
  }
  return { ...responses, default: toError('Another error of the error reference.') };
}

/** The codes of each status, in the order of the statuses. */
export function byStatus(codes: readonly ErrorCode[]): [status: number, codes: ErrorCode[]][] {
  const groups = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = errorRules[code];
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return [...groups].sort(([one], [other]) => one - other);
}

function toContent({ schema, type = schema && 'application/json' }: Answer): object {
  if (type === undefined) return {};
  return { [type]: schema === undefined ? {} : { schema: refTo(schema) } };
}

function toError(description: string): object {
  return { description, content: { 'application/json': { schema: refTo('Error') } } };
}

/** @throws Error when there is no such component */
function refTo(name: string): { $ref: string } {
  if (!components[name]) throw new Error(`there is no component ${name}`);
  return { $ref: `#/components/schemas/${name}` };
}
