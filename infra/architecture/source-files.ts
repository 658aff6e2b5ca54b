/** The project's own TypeScript files, as Git knows them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../local/settings.ts';

/** Every file that Git tracks or would track, as a path from the root. */
export function trackedFiles(): string[] {
  return execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: projectRoot,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(projectRoot, path)));
}

/** The TypeScript of the four top-level folders. */
export function sourceFiles(): string[] {
  return trackedFiles().filter(
    (path) => /\.tsx?$/.test(path) && /^(?:edge|core|shared|infra)\//.test(path) && !path.endsWith('.d.ts'),
  );
}

export function isTest(path: string): boolean {
  return /\.(?:test|contract)\.tsx?$|\/(?:testing|e2e)\//.test(path);
}

export function readSource(path: string): string {
  return readFileSync(join(projectRoot, path), 'utf8');
}
