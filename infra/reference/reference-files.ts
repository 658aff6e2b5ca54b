/** Every generated file of the documentation, and whether those on disk are up to date. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { projectRoot } from '../local/settings.ts';
import { loadEdgeRoutes } from './load-edge.ts';
import { operations, toOpenApi } from './openapi.ts';
import { compareRoutes, type Language } from './operation.ts';
import { toApiPage } from './page-api.ts';
import { toConfigurationPage } from './page-configuration.ts';
import { toErrorsPage } from './page-errors.ts';
import { toMetricsPage } from './page-metrics.ts';

/** Their contents by their paths from the root. @throws Error when the descriptions do not fit the router */
export async function referenceFiles(): Promise<ReadonlyMap<string, string>> {
  const faults = compareRoutes(await loadEdgeRoutes(), operations);
  if (faults.length > 0)
    throw new Error(`infra/reference does not describe the router:\n${faults.join('\n')}`);
  const { version } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8'));
  const pages = (['en', 'zh'] as const satisfies Language[]).flatMap((language) => [
    [`docs/${language}/reference/api.md`, toApiPage(language)] as const,
    [`docs/${language}/reference/configuration.md`, toConfigurationPage(language)] as const,
    [`docs/${language}/reference/errors.md`, toErrorsPage(language)] as const,
    [`docs/${language}/reference/metrics.md`, toMetricsPage(language)] as const,
  ]);
  const openApi = `${JSON.stringify(toOpenApi(version), null, 2)}\n`;
  return new Map([['docs/public/openapi.json', openApi], ...pages]);
}

/** @returns the paths of the files that differ from what is generated */
export async function staleFiles(files: ReadonlyMap<string, string>): Promise<string[]> {
  const stale = await Promise.all(
    [...files].map(async ([path, content]) => {
      const onDisk = await readFile(join(projectRoot, path), 'utf8').catch(() => undefined);
      return onDisk === content ? [] : [path];
    }),
  );
  return stale.flat();
}

export async function writeFiles(files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, content] of files) {
    await mkdir(dirname(join(projectRoot, path)), { recursive: true });
    await writeFile(join(projectRoot, path), content);
  }
}
