/** How the routes of the edge are described: the source of the OpenAPI document and of the API page. */
import * as v from 'valibot';
import type { ErrorCode } from '../../shared/errors.ts';

/** A text in both languages of the documentation. */
export interface Text {
  en: string;
  zh: string;
}

export type Language = keyof Text;

export interface Parameter {
  in: 'path' | 'query' | 'header';
  name: string;
  text: Text;
  /** JSON Schema; a string without it. */
  schema?: JsonSchema;
  isRequired?: boolean;
}

export interface Answer {
  status: number;
  text: Text;
  /** The name of the component that the body, or each event of a stream, is. */
  schema?: string;
  /** `application/json` by default when there is a schema. */
  type?: string;
}

/** Who may call a route. `metrics` is the token of `EDGEWISE_METRICS_TOKEN`. */
export type Access = 'open' | 'token' | 'metrics';

export interface Operation {
  method: 'get' | 'post' | 'patch' | 'delete';
  /** As the router has it: `/v1/sessions/:id`. */
  path: string;
  /** A unique name for code that is generated from the description. */
  id: string;
  area: Area;
  summary: Text;
  text?: Text;
  /** `token` by default. */
  access?: Access;
  scope?: 'admin' | 'batch';
  parameters?: readonly Parameter[];
  body?: {
    /** The name of a component. */
    schema: string;
    isOptional?: boolean;
    /** Fields of the form when the body is `multipart/form-data`; files are written as `@name`. */
    form?: Readonly<Record<string, string>>;
    /** The body of the curl example when it is JSON. */
    example?: object;
  };
  answers: readonly Answer[];
  /** What the route itself can refuse; those of every route are described once. */
  errors?: readonly ErrorCode[];
}

export interface JsonSchema {
  type?: string;
  enum?: readonly unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  default?: unknown;
  description?: string;
  'x-zh'?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema | boolean;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  $ref?: string;
  [keyword: string]: unknown;
}

export const areas = {
  chat: { en: 'Chat', zh: '对话' },
  responses: { en: 'Responses', zh: 'Responses 接口' },
  sessions: { en: 'Sessions', zh: '会话' },
  tasks: { en: 'Other model tasks', zh: '其他模型任务' },
  documents: { en: 'Documents', zh: '文档' },
  archive: { en: 'Conversations, memory and usage', zh: '对话记录、记忆与用量' },
  batches: { en: 'Files and batches', zh: '文件与批处理' },
  access: { en: 'Tokens and keys', zh: '令牌与密钥' },
  cache: { en: 'Cache', zh: '缓存' },
  service: { en: 'Service', zh: '服务' },
} as const satisfies Record<string, Text>;
export type Area = keyof typeof areas;

/** A schema with its description in both languages. */
export function described<const Schema extends v.GenericSchema>(schema: Schema, en: string, zh: string) {
  return v.pipe(schema, v.description(en), v.metadata({ zh }));
}

export const unixSeconds = described(v.number(), 'Unix time in seconds.', 'Unix 时间，以秒计。');
export const noTime = described(
  v.nullable(v.number()),
  'Unix time in seconds; null when it has not happened.',
  'Unix 时间，以秒计；尚未发生时为 null。',
);

/** OpenAI's list of objects, with what pages through it. */
export function listOf<const Schema extends v.GenericSchema>(item: Schema) {
  return v.object({
    object: v.literal('list'),
    data: v.array(item),
    first_id: described(v.nullable(v.string()), 'The id of the first entry.', '第一条的 id。'),
    last_id: described(v.nullable(v.string()), 'The id of the last entry.', '最后一条的 id。'),
    has_more: described(v.boolean(), 'Whether entries follow the last one.', '之后是否还有更多。'),
  });
}

export const deletion = (object: string) =>
  v.object({ id: v.string(), object: v.literal(object), deleted: v.literal(true) });

/** How lists of the core are paged. */
export const corePage: readonly Parameter[] = [
  {
    in: 'query',
    name: 'limit',
    schema: { type: 'integer', minimum: 1, maximum: 10_000, default: 20 },
    text: {
      en: 'Most entries to return; at most 100 are returned.',
      zh: '最多返回多少条；单次至多 100 条。',
    },
  },
  {
    in: 'query',
    name: 'after',
    schema: { type: 'string', maxLength: 100 },
    text: { en: 'Return what follows the entry with this id.', zh: '返回此 id 之后的条目。' },
  },
];

export const pathId = (en: string, zh: string): Parameter => ({
  in: 'path',
  name: 'id',
  isRequired: true,
  text: { en, zh },
});
export const sessionId: Parameter = {
  ...pathId('The id of the session.', '会话的 id。'),
  schema: { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,128}$' },
};
export const turnIdSchema: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{32}$' };
export const idempotencyKey: Parameter = {
  in: 'header',
  name: 'Idempotency-Key',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
  text: {
    en: 'A request that is sent again with the same key is answered once. The same key with another body is an error.',
    zh: '带相同键重发的请求只回答一次；同一键配不同请求体会报错。',
  },
};

interface Route {
  method: string;
  path: string;
}

/** @returns a line for each route that only one side has, or that is described twice */
export function compareRoutes(routed: readonly Route[], described: readonly Route[]): string[] {
  const nameOf = ({ method, path }: Route) => `${method.toUpperCase()} ${path}`;
  const inRouter = new Set(routed.map(nameOf));
  const names = described.map(nameOf);
  return [
    ...[...inRouter].filter((name) => !names.includes(name)).map((name) => `${name} has no description`),
    ...names.filter((name) => !inRouter.has(name)).map((name) => `${name} is not in the router`),
    ...names.filter((name, index) => names.indexOf(name) < index).map((name) => `${name} is described twice`),
  ];
}
