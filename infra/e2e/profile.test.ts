/** `npm run profile` for a short time, on real processes. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { projectRoot } from '../local/settings.ts';

test('lists the functions with the most time, of edge and core', { timeout: 60_000 }, async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(projectRoot, 'infra/cli/profile.ts'), '--seconds', '2', '--readers', '8', '--top', '200'],
    { env: { PATH: process.env.PATH }, cwd: projectRoot },
  );
  expect(stdout).toMatch(/^[1-9]\d* answers of 120 words in 2 s to 8 readers/m);
  const [, edge = '', core = ''] = stdout.split(/^The (?:edge|core) .*:$/m);
  // Functions of our own: neither profile is of an idle process or of another one.
  expect(edge).toMatch(/ ms {2}\w+ \(worker\.js:\d+\)/);
  expect(core).toMatch(
    / ms {2}\S+ \((?:generations|memory-generation-log|openai-compatible|generations-route)\.ts:\d+\)/,
  );
});
