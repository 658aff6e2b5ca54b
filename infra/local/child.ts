/** One child process of a local command. Owns its log file, which is rotated at 10 MB: twice that is kept at most. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, statSync } from 'node:fs';
import { copyFile, readFile, stat, truncate } from 'node:fs/promises';

export interface ChildOptions {
  name: string;
  command: string;
  args: string[];
  env: Record<string, string | undefined>;
  cwd: string;
  /** Receives standard output and standard error. */
  logFile: string;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended, with how: `ended with code 1`. */
  readonly ended: Promise<string>;
  /** The last lines of its output since this start. */
  lastLogLines(): Promise<string>;
  /** Sends SIGTERM, and SIGKILL when the process has not ended `graceMs` later. */
  stop(graceMs: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

const MAX_LOG_BYTES = 10 * 1024 * 1024;
const ROTATE_EVERY_MS = 5000;
const LAST_LINES = 12;

export function startChild(options: ChildOptions): Child {
  const { name, command, args, cwd, logFile } = options;
  const startOffset = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  const log = openSync(logFile, 'a', 0o600);
  // A process group of its own: a Ctrl-C in the terminal reaches the parent alone, which stops its children in order.
  const process = spawn(command, args, {
    cwd,
    env: options.env,
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const ended = describeEnd(process);
  const rotation = setInterval(() => void rotateLog(logFile), ROTATE_EVERY_MS);
  rotation.unref();
  void ended.then(() => clearInterval(rotation));
  return {
    name,
    get pid() {
      return process.pid ?? 0;
    },
    ended,
    async lastLogLines() {
      const log = await readFile(logFile);
      // A rotated log is shorter than it was at the start.
      const text = log.subarray(log.length < startOffset ? 0 : startOffset).toString('utf8');
      return text.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
    },
    async stop(graceMs) {
      process.kill('SIGTERM');
      const timer = setTimeout(() => process.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    },
    kill: (signal) => void process.kill(signal),
  };
}

async function describeEnd(process: ChildProcess): Promise<string> {
  try {
    const [code, signal] = await once(process, 'exit');
    return signal ? `was ended by ${signal}` : `ended with code ${code}`;
  } catch (error) {
    return `could not be started: ${(error as Error).message}`;
  }
}

/**
 * Copies a log of {@link MAX_LOG_BYTES} to `<path>.1` and empties it, since its process holds it open. Lines that are written
 * between the two are lost.
 */
export async function rotateLog(path: string, maxBytes: number = MAX_LOG_BYTES): Promise<void> {
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size < maxBytes) return;
  await copyFile(path, `${path}.1`);
  await truncate(path);
}
