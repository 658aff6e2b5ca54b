/**
 * `npm run build:function`: the core as one file and what it reads, in `dist/function/`, for AWS Lambda and whoever else
 * takes a folder with a handler. The embedded database is left out: a function keeps nothing, so it needs `DATABASE_URL`.
 */
import { cp, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { runMain } from '../local/run-main.ts';
import { projectRoot } from '../local/settings.ts';

/** Some packages are CommonJS and ask for others by `require`. */
const banner = `import { createRequire as toRequire } from 'node:module'; const require = toRequire(import.meta.url);`;

await runMain(async () => {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: join(projectRoot, 'dist/function') } },
  });
  const { out } = values;
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await build({
    entryPoints: [join(projectRoot, 'core/function.ts')],
    outfile: join(out, 'index.mjs'),
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
});
