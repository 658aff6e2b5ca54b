/** The generated references are up to date and hold together. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../local/settings.ts';
import { compareRoutes, type JsonSchema } from './operation.ts';

interface OpenApi {
  paths: Record<string, Record<string, DescribedOperation>>;
  components: { schemas: Record<string, JsonSchema> };
}

interface DescribedOperation {
  operationId: string;
  parameters?: { name: string; in: string; required: boolean }[];
  requestBody?: { content: Record<string, { schema: { $ref: string } }> };
}

let openApi: OpenApi;
beforeAll(async () => {
  openApi = JSON.parse(await readFile(join(projectRoot, 'docs/public/openapi.json'), 'utf8'));
});
const operationsOf = () =>
  Object.entries(openApi.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
  );

test('the files on disk equal what is generated, and the description fits the router', async () => {
  const command = [join(projectRoot, 'infra/cli/reference.ts'), '--check'];
  await expect(promisify(execFile)(process.execPath, command)).resolves.toMatchObject({ stdout: '' });
}, 60_000);

describe('the comparison of description and router', () => {
  const list = { method: 'GET', path: '/v1/things' };
  const make = { method: 'POST', path: '/v1/things' };

  test('accepts the same routes, whatever their order and case', () => {
    expect(compareRoutes([list, make, list], [make, { ...list, method: 'get' }])).toEqual([]);
  });

  test('finds a route that is not described', () => {
    expect(compareRoutes([list, make], [list])).toEqual(['POST /v1/things has no description']);
  });

  test('finds a description without a route, and one that is there twice', () => {
    expect(compareRoutes([list], [list, make])).toEqual(['POST /v1/things is not in the router']);
    expect(compareRoutes([list], [list, list])).toEqual(['GET /v1/things is described twice']);
  });
});

describe('the OpenAPI document', () => {
  test('names each operation once', () => {
    const ids = operationsOf().map(({ operation }) => operation.operationId);
    expect(ids.length).toBeGreaterThan(50);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('declares exactly the parameters that a path has', () => {
    for (const { name, path, operation } of operationsOf()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect([name, ...declared.map((parameter) => parameter.name)]).toEqual([name, ...inPath]);
      expect(declared.every(({ required }) => required)).toBe(true);
    }
  });

  test('has a component for every reference, and each is a valid schema', () => {
    const text = JSON.stringify(openApi);
    const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = '']) => name);
    expect(names.filter((name) => !openApi.components.schemas[name])).toEqual([]);
    const ajv = new Ajv2020({ strict: false, formats: { date: true } });
    ajv.addSchema({ $id: 'https://edgewise.test/openapi.json', ...openApi });
    for (const name of Object.keys(openApi.components.schemas)) {
      const $ref = `https://edgewise.test/openapi.json#/components/schemas/${name}`;
      expect(() => ajv.compile({ $ref })).not.toThrow();
    }
    expect(text).not.toContain('x-zh');
  });

  test('describes every field of every request', () => {
    const bodies = operationsOf().flatMap(({ operation }) =>
      Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => schema.$ref),
    );
    const undescribed = [...new Set(bodies)].flatMap((ref) => {
      const name = ref.slice(ref.lastIndexOf('/') + 1);
      const fields = Object.entries(openApi.components.schemas[name]?.properties ?? {});
      return fields
        .filter(([, field]) => field.description === undefined && field.const === undefined)
        .map(([field]) => `${name}.${field}`);
    });
    expect(undescribed).toEqual([]);
  });
});
