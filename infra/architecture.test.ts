/** The rules of the house that no compiler checks. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { bindingsSchema } from '../edge/variables.ts';
import { readImportPicture } from './architecture/import-picture.ts';
import { longFunctions, MAX_FUNCTION_LINES } from './architecture/long-functions.ts';
import { isTest, readSource, sourceFiles } from './architecture/source-files.ts';
import { buildEdge } from './local/build.ts';
import { workerBundle } from './local/bundle-paths.ts';
import { readEdgeVariables } from './local/edge-variables.ts';
import { compatibilityDate, compatibilityFlags, durableObjects } from './local/workerd-config.ts';

const sources = sourceFiles().filter((path) => path.endsWith('.ts'));
const read = readSource;

/** Each import of a file, as it stands and, for our own files, as a path from the root. */
function importsOf(path: string): { name: string; target: string }[] {
  const names = [...read(path).matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, name = '']) => name);
  return names.map((name) => ({
    name,
    target: name.startsWith('.') ? relative('.', join(dirname(path), name)) : name,
  }));
}
const offenders = (from: RegExp, isWrong: (target: string, name: string) => boolean) =>
  sources
    .filter((path) => from.test(path) && !isTest(path))
    .flatMap((path) =>
      importsOf(path).flatMap(({ name, target }) => (isWrong(target, name) ? [`${path} -> ${target}`] : [])),
    );

describe('imports', () => {
  test('run from the edge and the core to shared, and infra is over all', () => {
    expect(offenders(/^edge\//, (target) => /^(?:core|infra)\//.test(target))).toEqual([]);
    expect(offenders(/^core\//, (target) => /^(?:edge|infra)\//.test(target))).toEqual([]);
    expect(offenders(/^shared\//, (target) => /^(?:edge|core|infra)\//.test(target))).toEqual([]);
  });

  test('of shared know no platform', () => {
    expect(offenders(/^shared\//, (target) => /^(?:node:|cloudflare:|hono)/.test(target))).toEqual([]);
    const platform = sources.filter(
      (path) => path.startsWith('shared/') && !isTest(path) && /\bprocess\./.test(read(path)),
    );
    expect(platform).toEqual([]);
  });

  test('make no circle, types included, and none runs upward', () => {
    const { circles, upward, unknownRooms } = readImportPicture();
    expect({ circles, upward, unknownRooms }).toEqual({ circles: [], upward: [], unknownRooms: [] });
  }, 60_000);

  test('leave Hono to http and to the maps', () => {
    const allowed = /^(?:edge|core)\/(?:http\/|app\.ts|server\.ts|function\.ts)|^edge\/worker\.ts|^infra\//;
    expect(
      offenders(/^(?:edge|core)\//, (target) => /^(?:hono|@hono)/.test(target)).filter(
        (line) => !allowed.test(line),
      ),
    ).toEqual([]);
  });

  test('name files with their ending, and no folder', () => {
    expect(offenders(/./, (target, name) => name.startsWith('.') && !/\.\w+$/.test(target))).toEqual([]);
  });
});

describe('files', () => {
  test('say one thing: none is called after nothing, none is long', () => {
    expect(
      sources.filter((path) => /^(?:utils?|helpers?|common|misc|index)\.ts$/.test(basename(path))),
    ).toEqual([]);
    expect(sources.filter((path) => /\/(?:utils?|helpers?|common)\//.test(path))).toEqual([]);
    const long = sources.filter((path) => !isTest(path) && read(path).split('\n').length > 360);
    expect(long).toEqual([]);
  });

  test(`have no function over ${MAX_FUNCTION_LINES} lines without a reason above it`, () => {
    const long = sourceFiles()
      .filter((path) => !isTest(path))
      .flatMap((path) => longFunctions(path, read(path)));
    expect(long).toEqual([]);
  }, 60_000);

  test('that construct the services stay short', () => {
    const long = ['edge/services.ts', 'core/services.ts'].filter(
      (path) => read(path).split('\n').length > 150,
    );
    expect(long).toEqual([]);
  });

  test('are in kebab-case', () => {
    expect(sources.filter((path) => !/^[a-z0-9.-]+$/.test(basename(path)))).toEqual([]);
  });

  test('hold no default export but where a platform wants one', () => {
    const wanted = /^edge\/worker\.ts$|^infra\/bench\/floors\/|build-once\.ts$|core-for-workers\.ts$/;
    expect(sources.filter((path) => /^export default/m.test(read(path)) && !wanted.test(path))).toEqual([]);
  });

  test('of the lock name no registry', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved": "http/);
  });
});

describe('the Worker', () => {
  let bundle: string;
  beforeAll(async () => {
    await buildEdge();
    bundle = readFileSync(workerBundle, 'utf8');
  }, 60_000);

  test.each([
    'drizzle',
    'node:fs',
    'node:pg',
    'api.openai.com',
    'MiniSearch',
    'toml-eslint-parser',
    'OPENAI_API_KEY',
  ])('holds no trace of %s', (trace) => expect(bundle.includes(trace)).toBe(false));

  test('is at most 150 kB compressed', () => {
    expect(gzipSync(bundle).length).toBeLessThanOrEqual(150_000);
  });

  test('is built with the names of its variables, without those that only Cloudflare has', async () => {
    const cloudflareOnly = ['EDGEWISE_WORKERS_AI_MODEL', 'EDGEWISE_WORKERS_AI_EMBEDDINGS_MODEL'];
    const names = [...(await readEdgeVariables()), ...cloudflareOnly];
    expect(names.sort()).toEqual(Object.keys(bindingsSchema.entries).sort());
  });
});

describe('wrangler.toml and workerd', () => {
  const wrangler = read('wrangler.toml');

  test('run the Worker alike', () => {
    expect(wrangler).toContain(`compatibility_date = "${compatibilityDate}"`);
    expect(wrangler).toContain(`compatibility_flags = ${JSON.stringify(compatibilityFlags)}`);
    for (const [binding, className] of Object.entries(durableObjects)) {
      expect(wrangler).toContain(`name = "${binding}"\nclass_name = "${className}"`);
    }
  });
});
