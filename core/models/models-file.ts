/** `infra/config/models.toml` as data. Every fault is reported at once, each with its file, line and column. */
import { type AST, getStaticTOMLValue, ParseError, parseTOML } from 'toml-eslint-parser';
import * as v from 'valibot';
import { capabilities } from '../../shared/model/request-needs.ts';
import { continuations } from '../../shared/model/with-fallback.ts';
import { tasks } from '../../shared/protocol/task-protocol.ts';

const offers = ['chat', ...tasks] as const;
const name = v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'));
const environmentName = v.pipe(
  v.string(),
  v.regex(/^[A-Z][A-Z0-9_]*$/, 'must be the name of an environment variable'),
);
const address = v.pipe(
  v.string(),
  v.check(
    (value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
    'must be an http or https address',
  ),
);
const positive = v.pipe(
  v.number('must be a number'),
  v.integer('must be a whole number'),
  v.minValue(1, 'must be positive'),
);
const price = v.pipe(v.number('must be a number'), v.minValue(0, 'must not be negative'));

const quota = v.strictObject({
  requests_per_minute: v.optional(positive),
  tokens_per_minute: v.optional(positive),
  turns_at_once: v.optional(positive),
});

const openaiProvider = v.strictObject({
  kind: v.literal('openai'),
  base_url: address,
  base_url_env: v.optional(environmentName),
  /** Without it the provider needs no key and is always there. */
  api_key_env: v.optional(environmentName),
  /** For telemetry; the provider's own name without it. */
  label: v.optional(name),
  quota: v.optional(quota),
});
const azureProvider = v.strictObject({
  kind: v.literal('azure'),
  endpoint_env: environmentName,
  api_key_env: environmentName,
  api_version: name,
  label: v.optional(name),
  quota: v.optional(quota),
});
const model = v.strictObject({
  provider: name,
  model: v.optional(name),
  /** What it can be asked for. */
  offers: v.optional(
    v.pipe(
      v.array(v.picklist(offers, `must be one of ${offers.map((one) => `"${one}"`).join(', ')}`)),
      v.minLength(1, 'must name at least one'),
    ),
    ['chat'],
  ),
  /** A model that chats must say it. */
  context_length: v.optional(positive),
  encoding: v.optional(v.picklist(['o200k_base', 'cl100k_base'], 'must be "o200k_base" or "cl100k_base"')),
  price: v.optional(v.strictObject({ input: price, output: price, cached_input: v.optional(price) })),
  quota: v.optional(quota),
  /** Absent: whatever is asked. */
  capabilities: v.optional(
    v.array(v.picklist(capabilities, `must be one of ${capabilities.map((one) => `"${one}"`).join(', ')}`)),
  ),
  /** How it goes on from words that another model has said; absent: it does not. */
  continues: v.optional(
    v.picklist(continuations, `must be one of ${continuations.map((one) => `"${one}"`).join(', ')}`),
  ),
  time_limits: v.optional(
    v.strictObject({
      connect_ms: v.optional(positive),
      first_token_ms: v.optional(positive),
      idle_ms: v.optional(positive),
      total_ms: v.optional(positive),
    }),
  ),
});
/** One step of a ladder: a model, or several that share its calls by weight. */
const rung = v.union(
  [name, v.pipe(v.record(name, positive), v.minEntries(1, 'must name at least one model'))],
  'must be the name of a model, or a table of names and weights',
);
const millisecond = positive;
const dispatch = v.strictObject({
  /** Calls of one target besides the first. */
  max_retries: v.optional(
    v.pipe(
      v.number(),
      v.integer('must be a whole number'),
      v.minValue(0),
      v.maxValue(5, 'must be at most 5'),
    ),
    2,
  ),
  /** How long a call waits for its turn at one target of a ladder before it steps down. */
  patience_ms: v.optional(millisecond, 10_000),
  /** What the models of a ladder, but the last, have together until one has taken the request. */
  first_token_budget_ms: v.optional(millisecond, 20_000),
  /** Absent: no call is asked of two. */
  hedge_after_ms: v.optional(millisecond),
  /** What stands last in every ladder. */
  last_resort: v.optional(v.picklist(['extractive', 'none'], 'must be "extractive" or "none"'), 'extractive'),
  breaker: v.optional(
    v.strictObject({ failures: v.optional(positive, 5), open_ms: v.optional(millisecond, 30_000) }),
    {},
  ),
});
const schema = v.strictObject({
  dispatch: v.optional(dispatch, {}),
  providers: v.optional(
    v.record(v.string(), v.variant('kind', [openaiProvider, azureProvider], 'must be "openai" or "azure"')),
    {},
  ),
  models: v.optional(v.record(v.string(), model), {}),
  aliases: v.optional(
    v.record(
      v.string(),
      v.pipe(v.array(rung, 'must be a list of model names'), v.minLength(1, 'must name at least one model')),
    ),
    {},
  ),
});

export type ModelsFile = v.InferOutput<typeof schema>;
export type ProviderSpec = ModelsFile['providers'][string];
export type DispatchSpec = ModelsFile['dispatch'];
export type QuotaSpec = v.InferOutput<typeof quota>;
export type ModelSpec = ModelsFile['models'][string];

/** The faults of a models file, one a line: `infra/config/models.toml:12:1 models.gpt.context_length must be positive`. */
export class ModelsFileError extends Error {
  constructor(faults: string[]) {
    super(faults.join('\n'));
    this.name = 'ModelsFileError';
  }
}

/** @throws ModelsFileError */
export function parseModelsFile(text: string, fileName: string): ModelsFile {
  let ast: AST.TOMLProgram;
  try {
    ast = parseTOML(text, { tomlVersion: '1.0.0' });
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new ModelsFileError([`${fileName}:${error.lineNumber}:${error.column + 1} ${error.message}`]);
  }
  const fault = (path: readonly unknown[], text: string) => {
    const { line, column } = locate(ast, path.map(String));
    return `${fileName}:${line}:${column + 1} ${path.map(String).join('.')} ${text}`;
  };
  const parsed = v.safeParse(schema, getStaticTOMLValue(ast));
  if (!parsed.success) {
    throw new ModelsFileError(parsed.issues.map((issue) => fault(pathOf(issue), faultText(issue))));
  }
  const faults = danglingNames(parsed.output).map(({ path, text }) => fault(path, text));
  if (faults.length > 0) throw new ModelsFileError(faults);
  return parsed.output;
}

function pathOf(issue: v.BaseIssue<unknown>): unknown[] {
  return issue.path?.map(({ key }) => key) ?? [];
}

function faultText(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'is not a known key';
  if (issue.received === 'undefined') return 'is missing';
  return issue.message.startsWith('Invalid')
    ? `must be ${issue.expected}, but is ${issue.received}`
    : issue.message;
}

/** Names that point at nothing. */
function danglingNames(file: ModelsFile): { path: unknown[]; text: string }[] {
  const faults: { path: unknown[]; text: string }[] = [];
  for (const [modelName, spec] of Object.entries(file.models)) {
    if (!Object.hasOwn(file.providers, spec.provider)) {
      faults.push({
        path: ['models', modelName, 'provider'],
        text: `names "${spec.provider}", which is no provider`,
      });
    }
    if (spec.offers.includes('chat') && spec.context_length === undefined)
      faults.push({ path: ['models', modelName, 'context_length'], text: 'is missing' });
    if (Object.hasOwn(file.aliases, modelName)) {
      faults.push({ path: ['aliases', modelName], text: 'is the name of a model, too' });
    }
  }
  for (const [alias, rungs] of Object.entries(file.aliases)) {
    rungs.forEach((step, index) => {
      for (const target of typeof step === 'string' ? [step] : Object.keys(step)) {
        if (Object.hasOwn(file.models, target)) continue;
        faults.push({ path: ['aliases', alias, index], text: `names "${target}", which is no model` });
      }
    });
  }
  return faults;
}

/** Where in the file the longest known part of a path begins. */
function locate(ast: AST.TOMLProgram, path: string[]): { line: number; column: number } {
  let best: { depth: number; start: { line: number; column: number } } = {
    depth: 0,
    start: { line: 1, column: 0 },
  };
  const consider = (keys: (string | number)[], node: { loc: AST.SourceLocation }) => {
    const fits = keys.every((key, index) => String(key) === path[index]);
    if (fits && keys.length > best.depth) best = { depth: keys.length, start: node.loc.start };
  };
  const visit = (pair: AST.TOMLKeyValue, prefix: (string | number)[]) => {
    const keys = [...prefix, ...pair.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value))];
    consider(keys, pair);
    visitValue(pair.value, keys);
  };
  const visitValue = (value: AST.TOMLContentNode, keys: (string | number)[]) => {
    if (value.type === 'TOMLInlineTable') for (const inner of value.body) visit(inner, keys);
    if (value.type === 'TOMLArray') {
      for (const [index, element] of value.elements.entries()) consider([...keys, index], element);
    }
  };
  for (const node of ast.body[0].body) {
    if (node.type === 'TOMLKeyValue') {
      visit(node, []);
    } else {
      consider(node.resolvedKey, node);
      for (const pair of node.body) visit(pair, node.resolvedKey);
    }
  }
  return best.start;
}
