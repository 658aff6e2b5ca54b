/** Environments of wrangler.toml inherit neither bindings nor variables: each must repeat them all. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getStaticTOMLValue, parseTOML } from 'toml-eslint-parser';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../local/settings.ts';

interface Environment {
  name: string;
  vars: Record<string, string>;
  durable_objects: { bindings: { name: string; class_name: string }[] };
  ai?: object;
}
const file = getStaticTOMLValue(
  parseTOML(readFileSync(join(projectRoot, 'wrangler.toml'), 'utf8')),
) as unknown as Environment & {
  env: Record<string, Environment>;
  migrations: { tag: string; new_sqlite_classes: string[] }[];
};

describe.each(Object.entries(file.env))('the environment %s', (name, environment) => {
  test('repeats the bindings and variables of the Worker', () => {
    expect(environment.durable_objects).toEqual(file.durable_objects);
    expect(Object.keys(environment.vars)).toEqual(Object.keys(file.vars));
    expect(environment.ai).toEqual(file.ai);
  });

  test('has a Worker of its own', () => {
    expect(environment.name).toBe(`${file.name}-${name}`);
  });
});

test('every Durable Object class has its migration, once', () => {
  const made = file.migrations.flatMap(({ new_sqlite_classes: classes }) => classes);
  expect(made.sort()).toEqual(file.durable_objects.bindings.map(({ class_name: name }) => name).sort());
});
