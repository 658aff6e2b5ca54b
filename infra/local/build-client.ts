/** Builds the package `@edgewise/client`: one ESM file without dependencies, its types, README and licences. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { projectRoot } from './settings.ts';

const sourceDir = join(projectRoot, 'shared/client');
const run = promisify(execFile);

/** Fills `outDir`; what it held before is removed. @throws Error with the messages of esbuild or tsc */
export async function buildClient(outDir: string): Promise<void> {
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  const inputs = await buildJavaScript(join(outDir, 'edgewise-client.js'));
  await Promise.all([
    buildTypes(join(outDir, 'types')),
    writeFile(join(outDir, 'package.json'), await packageFile()),
    writeFile(join(outDir, 'THIRD-PARTY-LICENSES.txt'), await licencesOf(inputs)),
    cp(join(sourceDir, 'README.md'), join(outDir, 'README.md')),
    cp(join(projectRoot, 'LICENSE'), join(outDir, 'LICENSE')),
  ]);
}

/** @returns the paths of the files that are in the bundle */
async function buildJavaScript(outfile: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [join(sourceDir, 'edgewise-client.ts')],
    outfile,
    absWorkingDir: projectRoot,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    // Without a browser's fields, as every runtime takes the same file.
    mainFields: ['module', 'main'],
    target: 'es2022',
    metafile: true,
    logLevel: 'error',
  });
  return Object.keys(metafile.inputs);
}

/** The client's tsconfig allows ES2022 alone, so a newer built-in, which Node 20 may lack, is an error here. */
async function buildTypes(outDir: string): Promise<void> {
  const emitted = await mkdtemp(join(tmpdir(), 'edgewise-client-types-'));
  try {
    const tsc = join(projectRoot, 'node_modules/.bin/tsc');
    await run(tsc, ['-p', sourceDir, '--outDir', emitted]).catch((error: { stdout?: string }) => {
      throw new Error(`The types of the client could not be built:\n${error.stdout}`, { cause: error });
    });
    // The files of the client name no other file of `shared` in their types.
    const files = await readdir(join(emitted, 'client'));
    await mkdir(outDir);
    for (const file of files) {
      const text = await readFile(join(emitted, 'client', file), 'utf8');
      // tsc rewrites the endings of imports in JavaScript only.
      await writeFile(join(outDir, file), text.replace(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"));
    }
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
}

async function packageFile(): Promise<string> {
  const { version, license } = await readPackage(projectRoot);
  const content = {
    name: '@edgewise/client',
    version,
    description: 'TypeScript client of Edgewise: chat turns that survive network failures.',
    license,
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20' },
    exports: { '.': { types: './types/edgewise-client.d.ts', default: './edgewise-client.js' } },
    types: './types/edgewise-client.d.ts',
    files: ['edgewise-client.js', 'types', 'THIRD-PARTY-LICENSES.txt'],
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** The licences of the packages in the bundle, which ask to be named in every copy. */
async function licencesOf(inputs: string[]): Promise<string> {
  const names = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  const texts = [...new Set(names)].sort().map(async (name) => {
    const dir = join(projectRoot, 'node_modules', name);
    const [{ version }, licence] = await Promise.all([
      readPackage(dir),
      readFile(join(dir, 'LICENSE'), 'utf8'),
    ]);
    return `${name} ${version}\n\n${licence.trim()}\n`;
  });
  return (await Promise.all(texts)).join('\n');
}

async function readPackage(dir: string): Promise<{ version: string; license: string }> {
  return JSON.parse(await readFile(join(dir, 'package.json'), 'utf8'));
}
