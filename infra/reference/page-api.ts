/** The API reference: each route with a curl example, then the objects that they take and return. */
import { type ErrorCode, errorRules } from '../../shared/errors.ts';
import { code, toPage, toTable } from './markdown.ts';
import { byStatus, commonErrors, components, operations } from './openapi.ts';
import { type Area, areas, type JsonSchema, type Language, type Operation, type Text } from './operation.ts';

const words = {
  title: { en: 'HTTP API', zh: 'HTTP 接口' },
  intro: {
    en: 'Every route of the edge. The same description as OpenAPI 3.1: [`openapi.json`](/openapi.json). In the examples `$EDGEWISE_URL` is the address of the edge (`http://127.0.0.1:8787` after `npm start`) and `$TOKEN` a bearer token (`npm run --silent token -- --sub alice`).',
    zh: '边缘的全部路由。同样的内容另有 OpenAPI 3.1 格式：[`openapi.json`](/openapi.json)。示例中 `$EDGEWISE_URL` 为边缘的地址（`npm start` 之后是 `http://127.0.0.1:8787`），`$TOKEN` 为 bearer 令牌（`npm run --silent token -- --sub alice`）。',
  },
  errorsIntro: {
    en: 'Every answer has an `x-request-id`. Errors are `Error` objects; the [error reference](./errors.md) explains their codes.',
    zh: '每个响应都带有 `x-request-id`。错误为 `Error` 对象，代码说明见[错误参考](./errors.md)。',
  },
  open: { en: 'Open to everyone.', zh: '无需令牌。' },
  token: { en: 'Needs a bearer token.', zh: '需要 bearer 令牌。' },
  metrics: { en: 'Needs the metrics token.', zh: '需要指标令牌。' },
  parameter: { en: 'Parameter', zh: '参数' },
  place: { en: 'In', zh: '位置' },
  field: { en: 'Field', zh: '字段' },
  type: { en: 'Type', zh: '类型' },
  meaning: { en: 'Meaning', zh: '含义' },
  required: { en: 'Required.', zh: '必填。' },
  body: { en: 'Body', zh: '请求体' },
  optional: { en: 'optional', zh: '可省略' },
  answers: { en: 'Answers', zh: '响应' },
  errors: { en: 'Errors', zh: '错误' },
  objects: { en: 'Objects', zh: '对象' },
  oneOf: { en: 'One of the following, by its `type`.', zh: '依 `type` 为下列之一。' },
  listOf: { en: 'list of ', zh: '列表：' },
  further: { en: 'Further fields are passed through.', zh: '其余字段原样传递。' },
  path: { en: 'path', zh: '路径' },
  query: { en: 'query', zh: '查询' },
  header: { en: 'header', zh: '请求头' },
} as const satisfies Record<string, Text>;

export function toApiPage(language: Language): string {
  const groups = (Object.keys(areas) as Area[]).map((area) => {
    const routes = operations.filter((operation) => operation.area === area);
    return [`## ${areas[area][language]}`, ...routes.map((route) => toRoute(route, language))].join('\n\n');
  });
  const objects = Object.entries(components).map(([name, schema]) => toObject(name, schema, language));
  const parts = [
    words.intro[language],
    words.errorsIntro[language],
    ...groups,
    `## ${words.objects[language]}`,
    ...objects,
  ];
  return toPage(words.title[language], parts, language);
}

function toRoute(operation: Operation, language: Language): string {
  const { method, summary, text, access = 'token', scope, body } = operation;
  const scopeText = { en: ` Scope: ${code(scope ?? '')}.`, zh: `权限：${code(scope ?? '')}。` }[language];
  const form = body?.form ? 'multipart/form-data' : 'application/json';
  const optional = body?.isOptional ? `, ${words.optional[language]}` : '';
  return [
    `### ${code(`${method.toUpperCase()} ${bracePath(operation.path)}`)}`,
    `**${summary[language]}.**`.replace('.**', language === 'zh' ? '。**' : '.**'),
    text?.[language] ?? '',
    `${words[access][language]}${scope ? scopeText : ''}`,
    toParameters(operation, language),
    body ? `**${words.body[language]}** (${code(form)}${optional}): ${linkTo(body.schema)}` : '',
    `**${words.answers[language]}**\n\n${toAnswers(operation, language)}`,
    toErrors(operation, language),
    toCurl(operation),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function toParameters({ parameters = [] }: Operation, language: Language): string {
  if (parameters.length === 0) return '';
  const heads = [words.parameter, words.place, words.type, words.meaning].map((head) => head[language]);
  const rows = parameters.map(({ name, in: place, schema = { type: 'string' }, isRequired, text }) => {
    const meaning = toSentences([text[language], isRequired ? words.required[language] : ''], language);
    return [code(name), words[place][language], toType(schema, language), meaning];
  });
  return toTable(heads, rows);
}

function toAnswers({ answers }: Operation, language: Language): string {
  return answers
    .map(({ status, type, schema, text }) => {
      const shape = [type && code(type), schema && linkTo(schema)].filter((part) => part !== undefined);
      return `- ${code(String(status))}${shape.length > 0 ? ` ${shape.join(', ')}` : ''} — ${text[language]}`;
    })
    .join('\n');
}

function toErrors({ errors = [], access = 'token' }: Operation, language: Language): string {
  const codes = [...new Set<ErrorCode>([...(access === 'token' ? commonErrors : []), ...errors])];
  if (codes.length === 0) return '';
  const colon = language === 'zh' ? '：' : ': ';
  const groups = byStatus(codes).map(([status, names]) => {
    const links = names.map((name) => `[${code(name)}](./errors.md#_${errorRules[name].status})`);
    return `${status} ${links.join(language === 'zh' ? '、' : ', ')}`;
  });
  return `**${words.errors[language]}**${colon}${groups.join(language === 'zh' ? '；' : '; ')}`;
}

function toCurl({ method, path, access = 'token', parameters = [], body }: Operation): string {
  const address = `"$EDGEWISE_URL${path.replaceAll(/:(\w+)/g, (_, name: string) => name.toUpperCase())}"`;
  const lines = [`curl ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}${address}`];
  if (access === 'token') lines.push('-H "Authorization: Bearer $TOKEN"');
  if (access === 'metrics') lines.push('-H "Authorization: Bearer $EDGEWISE_METRICS_TOKEN"');
  if (parameters.some(({ name }) => name === 'Upgrade'))
    lines.push(
      '--http1.1',
      '-H "Connection: Upgrade" -H "Upgrade: websocket"',
      '-H "Sec-WebSocket-Version: 13"',
    );
  for (const [name, value] of Object.entries(body?.form ?? {})) lines.push(`-F ${name}=${value}`);
  if (body?.example)
    lines.push('-H "Content-Type: application/json"', `-d '${JSON.stringify(body.example)}'`);
  return `\`\`\`sh\n${lines.join(' \\\n  ')}\n\`\`\``;
}

function toObject(name: string, schema: JsonSchema, language: Language): string {
  const variants = schema.oneOf ?? schema.anyOf;
  const parts = variants
    ? [words.oneOf[language], ...variants.map((variant) => variantPart(variant, language))]
    : [toFields(schema, language)];
  return [`### ${name}`, ...parts].filter((part) => part !== '').join('\n\n');
}

function variantPart(schema: JsonSchema, language: Language): string {
  const type = schema.properties?.type?.const;
  return `**${code(String(type))}**\n\n${toFields(schema, language)}`;
}

function toFields(schema: JsonSchema, language: Language): string {
  const rows = rowsOf(schema, '', language);
  const further = schema.additionalProperties === true ? words.further[language] : '';
  if (rows.length === 0) return further;
  const heads = [words.field, words.type, words.meaning].map((head) => head[language]);
  return [toTable(heads, rows), further].filter((part) => part !== '').join('\n\n');
}

/** A row for each field; those of objects inside follow by their path. */
function rowsOf(schema: JsonSchema, prefix: string, language: Language): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const isRequired = schema.required?.includes(name);
    const fallback = field.default === undefined ? '' : toDefault(field.default, language);
    const text = (language === 'zh' ? textOf(field, 'x-zh') : textOf(field, 'description')) ?? '';
    const meaning = toSentences([text, isRequired ? words.required[language] : '', fallback], language);
    const inner = innerObject(field);
    const rows = inner ? rowsOf(inner.schema, `${path}${inner.suffix}.`, language) : [];
    return [[code(path), toType(field, language), meaning], ...rows];
  });
}

/** A text of the field, or of the only thing that it can be besides null. */
function textOf(field: JsonSchema, key: 'description' | 'x-zh'): string | undefined {
  const inner = field.anyOf?.find((one) => one[key] !== undefined);
  return field[key] ?? inner?.[key];
}

function innerObject(field: JsonSchema): { schema: JsonSchema; suffix: string } | undefined {
  if (field.properties) return { schema: field, suffix: '' };
  if (typeof field.items === 'object' && field.items.properties) return { schema: field.items, suffix: '[]' };
  const only = field.anyOf?.filter(({ type }) => type !== 'null') ?? [];
  return only.length === 1 && only[0] ? innerObject(only[0]) : undefined;
}

function toType(schema: JsonSchema, language: Language): string {
  if (schema.$ref) return linkTo(schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1));
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum) return schema.enum.map((value) => code(JSON.stringify(value))).join(', ');
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return [...new Set(variants.map((variant) => toType(variant, language)))].join(' | ');
  if (schema.type === 'array')
    return typeof schema.items === 'object'
      ? `${words.listOf[language]}${toType(schema.items, language)}`
      : 'array';
  const { minimum, maximum } = schema;
  const type = schema.type ?? 'any';
  if (minimum === undefined && maximum === undefined) return type;
  return `${type}, ${maximum === undefined ? `≥ ${minimum}` : `${minimum ?? ''}–${maximum}`}`;
}

function toDefault(value: unknown, language: Language): string {
  const text = code(JSON.stringify(value));
  return language === 'zh' ? `默认值：${text}。` : `Default: ${text}.`;
}

/** Chinese puts no space between sentences. */
function toSentences(sentences: readonly string[], language: Language): string {
  return sentences.filter((sentence) => sentence !== '').join(language === 'zh' ? '' : ' ');
}

function linkTo(name: string): string {
  return `[${name}](#${name.toLowerCase()})`;
}

function bracePath(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}
