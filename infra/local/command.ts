/**
 * What every command of this project shares: named options, `--help`, progress, errors and exit codes (0 success,
 * 1 failure, 2 wrong usage). Results go to standard output; progress and errors go to standard error.
 */
import { parseArgs } from 'node:util';

interface BaseOption {
  help: string;
}

interface SwitchOption extends BaseOption {
  type: 'boolean';
}

interface ValueOption extends BaseOption {
  type: 'string' | 'number';
  /** How `--help` shows the value, such as `NAME`. */
  value: string;
  default?: string | number;
  isRequired?: boolean;
}

export type Options = Readonly<Record<string, SwitchOption | ValueOption>>;

type ValueOf<Option> = Option extends { type: 'boolean' }
  ? boolean
  :
      | (Option extends { type: 'number' } ? number : string)
      | (Option extends { default: string | number } | { isRequired: true } ? never : undefined);

export type Values<Given extends Options> = { readonly [Name in keyof Given]: ValueOf<Given[Name]> };

export interface Command<Given extends Options> {
  /** As it is typed, such as `npm run backup`. */
  name: string;
  summary: string;
  /** Arguments without a dash; a command without this field takes none. */
  positionals?: { value: string; help: string; isRequired?: boolean };
  options?: Given;
  /** Environment variables that the command reads, each with its meaning. */
  environment?: Readonly<Record<string, string>>;
  example: string;
  run(values: Values<Given>, positionals: string[]): Promise<unknown>;
}

/** A fault in the arguments: the usage follows the message, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Parses the arguments of this process and runs the command. Sets the exit code; never throws. */
export async function runCommand<const Given extends Options = Record<never, never>>(
  command: Command<Given>,
): Promise<void> {
  try {
    const parsed = parseArguments(command, process.argv.slice(2));
    if (parsed === 'help') console.log(helpText(command));
    else await command.run(parsed.values, parsed.positionals);
  } catch (error) {
    console.error((error as Error).message);
    if (error instanceof UsageError) console.error(`\nUsage: ${usageLine(command)}`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/** One line of progress, on standard error, so that standard output holds results alone. */
export function reportProgress(line: string): void {
  console.error(line);
}

/** @returns a function that reports one of `total` steps as done: ` 3/12  line` */
export function countProgress(total: number): (line: string) => void {
  const width = String(total).length;
  let done = 0;
  return (line) => reportProgress(`${String(++done).padStart(width)}/${total}  ${line}`);
}

/** @throws UsageError that names the argument at fault */
export function parseArguments<Given extends Options>(
  { options = {} as Given, positionals: wanted }: Command<Given>,
  args: string[],
): { values: Values<Given>; positionals: string[] } | 'help' {
  const entries = Object.entries(options);
  const types = entries.map(([name, { type }]) => [name, { type: type === 'boolean' ? type : 'string' }]);
  const { values: given, positionals } = parseOrThrow({ ...Object.fromEntries(types) }, args);
  if (given.help) return 'help';
  if (wanted === undefined && positionals.length > 0)
    throw new UsageError(`Unexpected argument '${positionals[0]}'.`);
  if (wanted?.isRequired && positionals.length === 0) throw new UsageError(`${wanted.value} is missing.`);
  const values = entries.map(([name, option]) => [name, toValue(name, option, given[name])]);
  return { values: Object.fromEntries(values) as Values<Given>, positionals };
}

type Given = string | boolean | undefined;

function parseOrThrow(
  options: Record<string, { type: 'string' | 'boolean' }>,
  args: string[],
): { values: Record<string, Given>; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    return { values: values as Record<string, Given>, positionals };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('ERR_PARSE_ARGS')) throw error;
    // Node adds advice about arguments that begin with a dash.
    throw new UsageError(`${message.split(/\.\s|\n/)[0]}.`.replace(/\.\.$/, '.'));
  }
}

function toValue(name: string, option: SwitchOption | ValueOption, given: Given) {
  if (option.type === 'boolean') return given === true;
  const value = given ?? option.default;
  if (value === undefined || value === '') {
    if (option.isRequired) throw new UsageError(`--${name} is missing: ${option.help}.`);
    return value;
  }
  if (option.type === 'string') return String(value);
  const number = Number(value);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new UsageError(`--${name} must be a number, but is "${value}".`);
}

function usageLine({ name, positionals, options = {} as Options }: Command<Options>): string {
  const words = Object.entries(options).map(([option, rest]) => {
    const word = flag(option, rest);
    return rest.type !== 'boolean' && rest.isRequired ? word : `[${word}]`;
  });
  if (positionals) words.unshift(positionals.isRequired ? positionals.value : `[${positionals.value}]`);
  // npm passes on what stands behind its own `--`.
  const separator = name.startsWith('npm ') ? ' --' : '';
  return words.length === 0 ? name : `${name}${separator} ${words.join(' ')}`;
}

function helpText(command: Command<Options>): string {
  const { summary, positionals, options = {}, environment = {}, example } = command;
  const argumentLines: [string, string][] = positionals ? [[positionals.value, positionals.help]] : [];
  const optionLines = Object.entries(options).map(([name, option]): [string, string] => {
    const hasDefault = option.type !== 'boolean' && option.default !== undefined && option.default !== '';
    return [flag(name, option), option.help + (hasDefault ? ` (default: ${option.default})` : '')];
  });
  return [
    `Usage: ${usageLine(command)}`,
    wrap(summary),
    section('Arguments', argumentLines),
    section('Options', [...optionLines, ['--help', 'Show this text']]),
    section('Environment', Object.entries(environment)),
    `Example:\n  ${example}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Breaks lines after at most 100 characters. */
function wrap(text: string): string {
  return text.replaceAll(/([^\n]{1,100})(?: |$)/g, '$1\n').trimEnd();
}

function flag(name: string, option: SwitchOption | ValueOption): string {
  return option.type === 'boolean' ? `--${name}` : `--${name} ${option.value}`;
}

function section(title: string, lines: readonly (readonly [name: string, help: string])[]): string {
  if (lines.length === 0) return '';
  const width = Math.max(...lines.map(([name]) => name.length));
  return `${title}:\n${lines.map(([name, help]) => `  ${name.padEnd(width)}  ${help}`).join('\n')}`;
}
