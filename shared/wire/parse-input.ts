/** Checks outside data against a schema, and says in OpenAI's manner which field is wrong and how. */
import * as v from 'valibot';
import { AppError } from '../errors.ts';

/** Deepest nesting that a body may have; more has no use and strains every recursive reader after us. */
const MAX_DEPTH = 64;

/**
 * @throws AppError `missing_required_parameter`, `invalid_type` or `invalid_value`, with the field as `param`
 */
export function parseInput<Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, input, { abortEarly: true });
  if (parsed.success) return parsed.output;
  throw toAppError(deepest(parsed.issues[0]));
}

/** @throws AppError `invalid_value` when the JSON value is nested too deep. Does not recurse. */
export function checkDepth(value: unknown): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) {
      throw new AppError('invalid_value', {
        message: `The request body is nested deeper than ${MAX_DEPTH} levels.`,
      });
    }
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      for (const child of Object.values(item))
        if (typeof child === 'object' && child !== null) next.push(child);
    }
    level = next;
  }
}

type Issue = v.BaseIssue<unknown>;

/** Of the ways in which a union did not fit, the one that got furthest into the value says most. */
function deepest(issue: Issue): Issue {
  let best = issue;
  for (const inner of issue.issues ?? []) {
    const found = deepest(inner as Issue);
    const path = [...(issue.path ?? []), ...(found.path ?? [])];
    if (path.length > (best.path?.length ?? 0)) best = { ...found, path: path as Issue['path'] };
  }
  return best;
}

function toAppError(issue: Issue): AppError {
  // Nothing to name when the body as a whole is at fault.
  const param = toParam(issue) || undefined;
  const where = param === undefined ? 'the request body' : `'${param}'`;
  if (issue.kind === 'validation') {
    return new AppError('invalid_value', { param, message: `Invalid value for ${where}: ${issue.message}.` });
  }
  if (issue.input === undefined) {
    return new AppError('missing_required_parameter', {
      param,
      message: `Missing required parameter: ${where}.`,
    });
  }
  const expected = expectedText(issue);
  if (issue.type === 'picklist') {
    return new AppError('invalid_value', {
      param,
      message: `Invalid value for ${where}: expected one of ${expected}.`,
    });
  }
  const message = `Invalid type for ${where}: expected ${expected}, but got ${received(issue.input)} instead.`;
  return new AppError('invalid_type', { param, message });
}

/** `messages[0].content[1].text` */
function toParam(issue: Issue): string {
  let param = '';
  for (const { key } of issue.path ?? []) {
    param += typeof key === 'number' ? `[${key}]` : `${param === '' ? '' : '.'}${String(key)}`;
  }
  return param;
}

const typeNames: Record<string, string> = {
  Array: 'an array',
  Object: 'an object',
  string: 'a string',
  number: 'a number',
  boolean: 'a boolean',
};

function expectedText(issue: Issue): string {
  if (issue.type === 'picklist') return issue.expected?.replace(/[()]/g, '').replaceAll(' | ', ', ') ?? '';
  const kinds = (issue.expected ?? '')
    .replace(/[()]/g, '')
    .split(' | ')
    .filter((kind) => kind !== 'undefined');
  return kinds.map((kind) => typeNames[kind] ?? kind).join(' or ');
}

function received(input: unknown): string {
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'an array';
  if (typeof input === 'number') return Number.isInteger(input) ? 'an integer' : 'a number';
  return typeNames[typeof input] ?? (typeof input === 'object' ? 'an object' : typeof input);
}
