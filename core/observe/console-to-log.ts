/**
 * Libraries print to the console (@hono/node-server prints each error of a response's stream); text that a user chose would make
 * whole lines there. What is printed becomes a line of our log that says so, and holds no value.
 */
import { errorFields } from './error-fields.ts';
import type { logLine } from './log.ts';

type Console = Pick<typeof console, 'error' | 'warn' | 'info' | 'log' | 'debug'>;

export function consoleToLog(target: Console, write: typeof logLine): void {
  const print =
    (level: 'info' | 'warn' | 'error') =>
    (...values: unknown[]) => {
      const error = values.find((value) => value instanceof Error);
      const message = `a library printed ${error ? 'an error' : 'a message'}`;
      write(level, message, error ? errorFields(error) : {});
    };
  target.error = print('error');
  target.warn = print('warn');
  target.info = print('info');
  target.log = print('info');
  target.debug = () => undefined;
}
