/**
 * `npm run ingest -- docs/**`: makes files documents that answers can rest on, and says how each went. What has not changed is
 * not read again, so that a run that was broken off is simply run again.
 */
import { glob, readFile, stat } from 'node:fs/promises';
import { basename, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { documentTypeOf } from '../../core/knowledge/parse/media-types.ts';
import { callEdge, type Operator, operatorOptions, readOperator } from '../local/operator.ts';
import { runMain } from '../local/run-main.ts';

const usage = `npm run ingest -- FILE... [--mine] [--url http://127.0.0.1:8787] [--tenant NAME] [--token TOKEN]
Folders are read whole. Documents are for every user of the tenant, unless --mine keeps them the token's own.`;

interface Ingested {
  id: string;
  outcome: 'created' | 'updated' | 'unchanged';
  passages: number;
}

const AT_ONCE = 2;

await runMain(async () => {
  const { values, positionals } = parseArgs({
    options: { ...operatorOptions, mine: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const files = await filesOf(positionals);
  if (files.length === 0) throw new Error(`There is no file to read.\n${usage}`);
  const operator = await readOperator(values);
  const outcomes: Record<string, number> = {};
  let done = 0;
  const next = files.values();
  async function work(): Promise<void> {
    for (const file of next) {
      const outcome = await ingest(operator, file, !values.mine);
      const [word] = outcome.split(',');
      outcomes[word ?? ''] = (outcomes[word ?? ''] ?? 0) + 1;
      console.error(
        `${String(++done).padStart(String(files.length).length)}/${files.length}  ${file}: ${outcome}`,
      );
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  console.log(
    Object.entries(outcomes)
      .map(([word, count]) => `${count} ${word}`)
      .join(', '),
  );
  if (outcomes.failed) process.exitCode = 1;
});

async function filesOf(patterns: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  for (const pattern of patterns) {
    const info = await stat(pattern).catch(() => undefined);
    const wanted = info?.isDirectory() ? `${pattern}/**/*` : pattern;
    if (info?.isFile()) files.add(pattern);
    else for await (const path of glob(wanted)) if ((await stat(path)).isFile()) files.add(path);
  }
  return [...files].filter((file) => documentTypeOf(file, undefined) !== undefined).sort();
}

async function ingest(operator: Operator, file: string, isShared: boolean): Promise<string> {
  const form = new FormData();
  form.set('file', new Blob([await readFile(file)]), basename(file));
  form.set('name', relative('.', file));
  form.set('shared', String(isShared));
  try {
    const { outcome, passages } = await callEdge<Ingested>(operator, 'POST', '/v1/documents', form);
    return `${outcome}, ${passages} ${passages === 1 ? 'passage' : 'passages'}`;
  } catch (error) {
    return `failed, ${(error as Error).message}`;
  }
}
