import { cp, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { runCommand } from '../local/command.ts';
import { projectRoot } from '../local/settings.ts';

/** Some packages are CommonJS and load others by `require`, which an ES module does not have. */
const banner = `import { createRequire as toRequire } from 'node:module'; const require = toRequire(import.meta.url);`;

await runCommand({
  name: 'npm run build:function',
  summary:
    'Bundles the core into one file with its models file and knowledge base, for AWS Lambda and other ' +
    'function platforms. The embedded database is left out, since a function keeps nothing on disk: set ' +
    'DATABASE_URL there.',
  options: {
    out: {
      type: 'string',
      value: 'FOLDER',
      default: 'dist/function',
      help: 'Output folder, deleted before the build',
    },
  },
  example: 'npm run build:function -- --out /tmp/function',
  run: ({ out }) => buildFunction(resolve(projectRoot, out)),
});

async function buildFunction(out: string): Promise<void> {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await build({
    entryPoints: {
      index: join(projectRoot, 'core/function.ts'),
      // Documents are read in a process of their own: core/knowledge/document-reader.ts starts it by this name.
      'document-process': join(projectRoot, 'core/knowledge/document-process.ts'),
    },
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: banner },
    external: ['@electric-sql/*', 'drizzle-orm/pglite', 'drizzle-orm/pglite/*', 'pg-native'],
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'error',
  });
  await cp(join(projectRoot, 'infra/config/models.toml'), join(out, 'models.toml'));
  await cp(join(projectRoot, 'infra/config/knowledge'), join(out, 'knowledge'), { recursive: true });
  await writeFile(join(out, 'package.json'), '{ "type": "module" }\n');
  const { size } = await stat(join(out, 'index.mjs'));
  console.log(`${out}: ${(size / 1e6).toFixed(1)} MB`);
}
