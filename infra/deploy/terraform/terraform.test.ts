/** The Terraform files are formatted and agree with the Worker and the core. CI cannot fetch the providers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../local/settings.ts';

const here = import.meta.dirname;
const files = readdirSync(here).filter((name) => name.endsWith('.tf'));
const text = files.map((name) => readFileSync(join(here, name), 'utf8')).join('\n');
const wrangler = readFileSync(join(projectRoot, 'wrangler.toml'), 'utf8');

/** Debian has no package of Terraform. */
function lacksTerraform(): boolean {
  try {
    execFileSync('terraform', ['version'], { stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
}

test.skipIf(lacksTerraform())('terraform can read it, and would write it like this', () => {
  const { status, stdout, stderr } = spawnSync('terraform', ['fmt', '-check', '-diff', here], {
    encoding: 'utf8',
  });
  expect(status, stdout + stderr).toBe(0);
});

describe('variables', () => {
  const declared = [...text.matchAll(/^variable "(\w+)"/gm)].map(([, name]) => name);

  test('are all used, and all declared', () => {
    const used = new Set([...text.matchAll(/\bvar\.(\w+)/g)].map(([, name]) => name));
    expect([...used].sort()).toEqual(declared.sort());
  });

  test('without a default are in the example', () => {
    const example = readFileSync(join(here, 'terraform.tfvars.example'), 'utf8');
    for (const [, name = '', body = ''] of text.matchAll(/^variable "(\w+)" \{\n(.*?)^\}/gms))
      if (!body.includes('default')) expect(example).toContain(name);
    for (const [, name] of example.matchAll(/^(\w+)\s+=/gm)) expect(declared).toContain(name);
  });
});

test('every reference has a target', () => {
  const resources = new Set(
    [...text.matchAll(/^resource "(\w+)" "(\w+)"/gm)].map(([, type, name]) => `${type}.${name}`),
  );
  const references = [...text.matchAll(/\b((?:cloudflare|neon|upstash)_\w+\.\w+)/g)].map(
    ([, name = '']) => name,
  );
  expect(references.length).toBeGreaterThan(5);
  for (const reference of references) expect(resources).toContain(reference);
  const locals = [...text.matchAll(/^ {2}(\w+)\s+=/gm)].map(([, name]) => name);
  for (const [, name] of text.matchAll(/\blocal\.(\w+)/g)) expect(locals).toContain(name);
});

test('the route names a Worker of wrangler.toml, in each environment', () => {
  const [, worker = ''] = /worker\s+= "([^"]+)"/.exec(text) ?? [];
  const [, environments = ''] = /contains\(\[([^\]]+)\], var\.environment\)/.exec(text) ?? [];
  for (const environment of JSON.parse(`[${environments}]`)) {
    const name = worker.replace(`\${var.environment}`, environment);
    expect(wrangler).toContain(`[env.${environment}]\nname = "${name}"`);
  }
});

test('the monitor uses a path that the core answers', () => {
  const [, path = ''] = /health_path\s+= "([^"]+)"/.exec(text) ?? [];
  expect(readFileSync(join(projectRoot, 'core/app.ts'), 'utf8')).toContain(`app.get('${path}'`);
});

test('secrets are marked as sensitive, and stores are protected from destroy', () => {
  for (const [, name = '', body = ''] of text.matchAll(/^output "(\w+)" \{\n(.*?)^\}/gms))
    if (/token|^database_url|^edgewise_redis_url$/.test(name))
      expect(body, name).toMatch(/sensitive\s+= true/);
  const stores = readFileSync(join(here, 'stores.tf'), 'utf8');
  expect(stores.match(/prevent_destroy = true/g)).toHaveLength(stores.match(/^resource /gm)?.length ?? 0);
});
