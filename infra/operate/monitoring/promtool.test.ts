/** Runs promtool on the configuration, the rules, and the tests of the rules. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lacks } from '../../e2e/services.ts';

const folder = join(import.meta.dirname, 'prometheus');
const promtool = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
  return { status, said: stdout + stderr };
};

describe.skipIf(lacks('promtool'))('promtool', () => {
  test('accepts configuration and rules', () => {
    // The token file exists only in the container.
    const { status, said } = promtool('check', 'config', '--syntax-only', 'prometheus.yml');
    expect(said).not.toContain('FAILED');
    expect(status, said).toBe(0);
    const rules = promtool(
      'check',
      'rules',
      ...['recording', 'alerts', 'budget'].map((name) => `rules/${name}.yml`),
    );
    expect(rules.status, rules.said).toBe(0);
  });

  test('accepts the configuration for Kubernetes, except service discovery, which Debian’s build lacks', () => {
    const dir = mkdtempSync(join(tmpdir(), 'edgewise-kubernetes-'));
    try {
      const text = readFileSync(join(folder, 'kubernetes.yml'), 'utf8');
      const found = /kubernetes_sd_configs:\n(?: {6}.*\n)+/;
      expect(text).toMatch(found);
      const config = join(dir, 'kubernetes.yml');
      writeFileSync(config, text.replace(found, 'static_configs: [{ targets: ["127.0.0.1:1"] }]\n'));
      const { status, said } = promtool('check', 'config', '--syntax-only', config);
      expect(status, said).toBe(0);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('every alert fires when it must, and only then', { timeout: 120_000 }, () => {
    const { status, said } = promtool(
      'test',
      'rules',
      ...['objectives', 'days', 'watches'].map((name) => `tests/${name}.yml`),
    );
    expect(status, said).toBe(0);
  });

  test('rejects a wrong rule', () => {
    const dir = mkdtempSync(join(tmpdir(), 'edgewise-rules-'));
    try {
      const alerts = readFileSync(join(folder, 'rules/alerts.yml'), 'utf8');
      writeFileSync(join(dir, 'alerts.yml'), alerts.replaceAll('== 0', '== 7'));
      const tests = readFileSync(join(folder, 'tests/watches.yml'), 'utf8');
      writeFileSync(
        join(dir, 'watches.yml'),
        tests
          .replace('../rules/recording.yml', join(folder, 'rules/recording.yml'))
          .replace('../rules/budget.yml', join(folder, 'rules/budget.yml'))
          .replace('../rules/alerts.yml', 'alerts.yml'),
      );
      expect(promtool('test', 'rules', join(dir, 'watches.yml')).status).not.toBe(0);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
