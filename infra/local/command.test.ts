import { expect, test } from 'vitest';
import { type Command, type Options, parseArguments, UsageError } from './command.ts';

const options = {
  name: { type: 'string', value: 'NAME', isRequired: true, help: 'Name of the thing' },
  count: { type: 'number', value: 'N', default: 3, help: 'How many' },
  dry: { type: 'boolean', help: 'Change nothing' },
  color: { type: 'string', value: 'COLOR', help: 'Which color' },
} as const;
const command = {
  name: 'npm run thing',
  summary: 'Does a thing.',
  options,
  example: 'npm run thing -- --name x',
  run: async () => undefined,
} satisfies Command<typeof options>;
const withFile = { ...command, positionals: { value: 'FILE', help: 'A file', isRequired: true } };

test('values have their types and defaults', () => {
  expect(parseArguments(command, ['--name', 'x'])).toEqual({
    values: { name: 'x', count: 3, dry: false, color: undefined },
    positionals: [],
  });
  expect(
    parseArguments(withFile, ['a.json', '--name=x', '--count', '0.5', '--dry', '--color', 'red']),
  ).toEqual({
    values: { name: 'x', count: 0.5, dry: true, color: 'red' },
    positionals: ['a.json'],
  });
});

test.each([['--help'], ['-h'], ['--name', 'x', '--help']])('%s asks for help', (...args) => {
  expect(parseArguments(command as Command<Options>, args)).toBe('help');
});

test.each([
  [[], '--name is missing: Name of the thing.'],
  [['--name', ''], '--name is missing'],
  [['--name'], '--name <value>'],
  [['--name', 'x', '--nmae', 'y'], "Unknown option '--nmae'."],
  [['--name', 'x', '-q'], "Unknown option '-q'."],
  [['--name', 'x', '--dry=yes'], '--dry'],
  [['--name', 'x', '--count', 'many'], '--count must be a number, but is "many".'],
  [['--name', 'x', '--count', '-1'], '--count'],
  [['--name', 'x', 'extra'], "Unexpected argument 'extra'."],
])('%j is wrong usage, and the error says why', (args, message) => {
  expect(() => parseArguments(command, args)).toThrow(UsageError);
  expect(() => parseArguments(command, args)).toThrow(message);
});

test('an argument that must be there is named', () => {
  expect(() => parseArguments(withFile, ['--name', 'x'])).toThrow('FILE is missing.');
});
