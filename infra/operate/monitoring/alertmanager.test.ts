/** Alertmanager's configuration has a receiver for every alert of the rules. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { lacks } from '../../e2e/services.ts';
import { alertRules } from './rules.ts';

const path = join(import.meta.dirname, 'alertmanager.yml');
interface Route {
  receiver: string;
  matchers?: string[];
  routes?: Route[];
}
const file = parse(readFileSync(path, 'utf8')) as {
  route: Route;
  inhibit_rules: { source_matchers: string[]; target_matchers: string[]; equal?: string[] }[];
  receivers: { name: string; webhook_configs: { url_file?: string; url?: string }[] }[];
};
const alerts = alertRules().groups.flatMap(({ rules }) => rules);

const isMatched = (matchers: readonly string[], labels: Record<string, string> = {}) =>
  matchers.every((matcher) => {
    const [, name = '', value = ''] = /^(\w+)="(.*)"$/.exec(matcher) ?? [];
    return labels[name] === value;
  });

test('pages go to the pager, and tickets do not', () => {
  const receivers = file.receivers.map(({ name }) => name);
  for (const { alert, labels } of alerts) {
    const route = file.route.routes?.find(({ matchers = [] }) => isMatched(matchers, labels)) ?? file.route;
    expect(receivers).toContain(route.receiver);
    expect(route.receiver, alert).toBe(labels?.severity);
  }
});

test('no alert inhibits itself, and the fastest burn rate of an objective inhibits the slower ones', () => {
  for (const { source_matchers: source, target_matchers: target } of file.inhibit_rules) {
    const both = alerts.filter(({ labels }) => isMatched(source, labels) && isMatched(target, labels));
    expect(both).toEqual([]);
    expect(alerts.some(({ labels }) => isMatched(source, labels))).toBe(true);
    expect(alerts.some(({ labels }) => isMatched(target, labels))).toBe(true);
  }
});

test('webhook addresses are read from files', () => {
  for (const { webhook_configs: webhooks } of file.receivers)
    for (const { url, url_file: urlFile } of webhooks) {
      expect(url).toBeUndefined();
      expect(urlFile).toMatch(/^\/run\/secrets\//);
    }
});

test.skipIf(lacks('amtool'))('amtool finds it in order', () => {
  const dir = mkdtempSync(join(tmpdir(), 'edgewise-alertmanager-'));
  try {
    // Debian's version is older than `url_file` (0.26) and knows all other fields.
    const text = readFileSync(path, 'utf8').replaceAll(/url_file: .*/g, 'url: http://127.0.0.1:9/');
    writeFileSync(join(dir, 'alertmanager.yml'), text);
    const check = (file: string) =>
      spawnSync('amtool', ['check-config', join(dir, file)], { encoding: 'utf8' });
    const { status, stdout, stderr } = check('alertmanager.yml');
    expect(status, stdout + stderr).toBe(0);
    writeFileSync(join(dir, 'broken.yml'), text.replace('receiver: ticket', 'receiver: nobody'));
    expect(check('broken.yml').status).not.toBe(0);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
