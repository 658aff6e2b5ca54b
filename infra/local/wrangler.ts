import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { projectRoot } from './settings.ts';

const run = promisify(execFile);
const program = join(projectRoot, 'node_modules/wrangler/bin/wrangler.js');

/**
 * Runs the installed wrangler without questions and without telemetry.
 * @param cwd Folder of its configuration; the project's by default.
 * @returns its standard output @throws Error with its error output
 */
export async function runWrangler(args: string[], cwd: string = projectRoot): Promise<string> {
  try {
    const { stdout } = await run(process.execPath, [program, ...args], {
      cwd,
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true', NO_COLOR: '1' },
    });
    return stripVTControlCharacters(stdout).trim();
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(stripVTControlCharacters(stderr || stdout || String(error)).trim(), { cause: error });
  }
}
