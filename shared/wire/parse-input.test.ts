import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { checkDepth, parseInput } from './parse-input.ts';

function refusalOf(check: () => unknown): { code: string; param: string | undefined; message: string } {
  try {
    check();
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, param: error.param, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
}

describe('parseInput', () => {
  const item = v.union([
    v.object({ type: v.literal('text'), text: v.string() }),
    v.object({ type: v.literal('image'), image: v.object({ url: v.string() }) }),
  ]);
  const schema = v.object({
    name: v.pipe(v.string(), v.minLength(1, 'must not be empty')),
    size: v.optional(v.picklist(['s', 'm'])),
    ids: v.optional(v.union([v.string(), v.array(v.string())])),
    items: v.optional(v.array(item)),
  });

  test('returns what the schema makes of the value', () => {
    expect(parseInput(v.object({ a: v.optional(v.number(), 1) }), {})).toEqual({ a: 1 });
  });

  test.each<[string, unknown, string, string | undefined, string]>([
    [
      'nothing',
      undefined,
      'missing_required_parameter',
      undefined,
      'Missing required parameter: the request body.',
    ],
    [
      'a list',
      'x',
      'invalid_type',
      undefined,
      'Invalid type for the request body: expected an object, but got a string instead.',
    ],
    ['no name', {}, 'missing_required_parameter', 'name', "Missing required parameter: 'name'."],
    [
      'null for a name',
      { name: null },
      'invalid_type',
      'name',
      "Invalid type for 'name': expected a string, but got null instead.",
    ],
    [
      'a whole number for a name',
      { name: 1 },
      'invalid_type',
      'name',
      "Invalid type for 'name': expected a string, but got an integer instead.",
    ],
    [
      'a number for a name',
      { name: 1.5 },
      'invalid_type',
      'name',
      "Invalid type for 'name': expected a string, but got a number instead.",
    ],
    [
      'a list for a name',
      { name: [] },
      'invalid_type',
      'name',
      "Invalid type for 'name': expected a string, but got an array instead.",
    ],
    ['an empty name', { name: '' }, 'invalid_value', 'name', "Invalid value for 'name': must not be empty."],
    [
      'another size',
      { name: 'n', size: 'l' },
      'invalid_value',
      'size',
      `Invalid value for 'size': expected one of "s", "m".`,
    ],
    [
      'a number for ids',
      { name: 'n', ids: 1 },
      'invalid_type',
      'ids',
      "Invalid type for 'ids': expected a string or an array, but got an integer instead.",
    ],
  ])('refuses %s', (_name, input, code, param, message) => {
    expect(refusalOf(() => parseInput(schema, input))).toEqual({ code, param, message });
  });

  test('names the place of a fault in a list, by the alternative that fits best', () => {
    const items = [
      { type: 'text', text: 'a' },
      { type: 'image', image: { url: 1 } },
    ];
    expect(refusalOf(() => parseInput(schema, { name: 'n', items }))).toMatchObject({
      code: 'invalid_type',
      param: 'items[1].image.url',
    });
  });
});

describe('checkDepth', () => {
  const nested = (levels: number) => {
    let value: unknown = 1;
    for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value };
    return value;
  };

  test('lets 64 levels pass, and refuses the next one', () => {
    expect(checkDepth(nested(64))).toBeUndefined();
    expect(refusalOf(() => checkDepth(nested(66)))).toEqual({
      code: 'invalid_value',
      param: undefined,
      message: 'The request body is nested deeper than 64 levels.',
    });
  });

  test('does not recurse, so a body of any depth is refused and not a crash', () => {
    expect(refusalOf(() => checkDepth(nested(100_000))).code).toBe('invalid_value');
  });
});
