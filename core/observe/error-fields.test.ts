import { expect, test, vi } from 'vitest';
import { consoleToLog } from './console-to-log.ts';
import { errorFields } from './error-fields.ts';

test('an error is logged by its type, code and frames, never by its message', () => {
  const forged = new TypeError('secret title\n    at forged (core.ts:1:1)');
  const fields = errorFields(
    Object.assign(new TypeError(forged.message, { cause: Object.assign(new Error(), { code: '22P02' }) })),
  );
  expect(fields).toMatchObject({ 'error.type': 'TypeError', 'error.code': '22P02' });
  expect(fields['error.stack_trace']).toMatch(/^ +at .*error-fields\.test\.ts/);
  expect(JSON.stringify(fields)).not.toMatch(/secret|forged/);
  expect(errorFields('a value')).toEqual({ 'error.type': 'string' });
});

test('what a library prints becomes a line of the log, without its values', () => {
  const lines: unknown[][] = [];
  const target = { error: vi.fn(), warn: vi.fn(), info: vi.fn(), log: vi.fn(), debug: vi.fn() };
  consoleToLog(target, (...line) => lines.push(line));
  target.error(new RangeError('{"log.level":"info","message":"forged"}'));
  target.warn('user %s', 'alice');
  expect(lines).toEqual([
    ['error', 'a library printed an error', expect.objectContaining({ 'error.type': 'RangeError' })],
    ['warn', 'a library printed a message', {}],
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/forged|alice/);
});
