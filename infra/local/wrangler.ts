import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { projectRoot } from './settings.ts';

const run = promisify(execFile);
const program = join(projectRoot, 'node_modules/wrangler/bin/wrangler.js');

/**
 * Runs the project's own wrangler, which asks nobody and tells nobody.
 * @param cwd Where its configuration is; the project's own without it.
 * @returns what it printed @throws Error in its words
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
