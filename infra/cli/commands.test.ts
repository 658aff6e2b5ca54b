/** Every command of package.json keeps the same conventions; the table names what each must document. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../local/settings.ts';

const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const programOf = (script: string) => /^node (\S+\.ts)$/.exec(scripts[script] ?? '')?.[1];

const operator = ['--url', '--tenant', '--token'];
const commands: Record<string, string[]> = {
  start: ['PORT', 'CORE_PORT', 'EDGEWISE_DATA'],
  dev: ['PORT', 'CORE_PORT', 'EDGEWISE_DATA'],
  build: [],
  'build:function': ['--out'],
  'build:client': ['--out'],
  core: ['EDGEWISE_SERVICE_SECRET', 'CORE_PORT', 'DATABASE_URL'],
  edge: ['EDGEWISE_CORE_URL', 'EDGEWISE_SERVICE_SECRET', 'PORT', 'EDGE_HOST'],
  'redis-rest': ['REDIS_URL', 'REDIS_REST_TOKEN', 'REDIS_REST_PORT'],
  token: ['--sub', '--tenant', '--plan', '--scope', '--expires'],
  key: ['create|list|revoke', '--name', '--plan', '--scope', '--expires', ...operator],
  ingest: ['FILE...', '--mine', ...operator],
  warm: ['FILE', '--again', ...operator],
  migrate: ['DATABASE_URL'],
  deploy: ['--env', '--url', '--message', '--dry-run', '--rollback', 'DATABASE_URL'],
  backup: ['DATABASE_URL', 'EDGEWISE_BACKUP_KEY', 'EDGEWISE_BACKUP_DIR', 'EDGEWISE_BACKUP_KEEP'],
  restore: ['--to', '--files', '--from', 'EDGEWISE_BACKUP_KEY'],
  'restore:drill': ['--from', 'EDGEWISE_DRILL_URL', 'EDGEWISE_BACKUP_KEY'],
  monitoring: [],
  profile: ['--seconds', '--readers', '--top'],
  reference: ['--check'],
  screenshots: [],
  bench: ['--rows', '--rounds', '--seconds', '--dry'],
  'bench:smoke': ['--write'],
  'bench:soak': ['--minutes', '--seed', '--archive'],
  'bench:profile': ['cached|pass-through|streamed'],
  'bench:first-token': [],
  'bench:filter': [],
  'bench:cache': [],
  'bench:memory': [],
  'bench:retrieval': [],
  architecture: [],
  'types:cost': [],
};

/** Commands share most modules: each is compiled once for all of them. */
const compileCache = mkdtempSync(join(tmpdir(), 'edgewise-compile-'));
afterAll(() => rmSync(compileCache, { recursive: true, force: true }));

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function run(script: string, argument: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [programOf(script) ?? '', argument],
      { cwd: projectRoot, env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

test('every script that runs a file of ours is in the table', () => {
  expect(Object.keys(scripts).filter((script) => programOf(script) !== undefined)).toEqual(
    Object.keys(commands),
  );
});

describe.each(Object.entries(commands))(
  'npm run %s',
  { concurrent: true, timeout: 60_000 },
  (script, names) => {
    test('--help shows usage, options and one example', async () => {
      const { code, stdout, stderr } = await run(script, '--help');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const command = script === 'start' ? 'npm start' : `(?:npm run(?: --silent)?) ${script}`;
      expect(stdout).toMatch(new RegExp(`^Usage: ${command}`));
      expect(stdout).toMatch(new RegExp(`\nExample:\n  .*${command}`));
      for (const name of [...names, '--help'])
        expect(stdout).toMatch(new RegExp(`^  ${escapePattern(name)}`, 'm'));
    });

    test('an unknown option is refused by its name', async () => {
      const { code, stdout, stderr } = await run(script, '--no-such-option');
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^Unknown option '--no-such-option'\.\n\nUsage: npm /);
    });
  },
);

function escapePattern(text: string): string {
  return text.replaceAll(/[.|]/g, '\\$&');
}
