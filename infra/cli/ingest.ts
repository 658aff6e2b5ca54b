import { glob, readFile, stat } from 'node:fs/promises';
import { basename, relative } from 'node:path';
import { documentTypeOf } from '../../core/knowledge/parse/media-types.ts';
import { countProgress, runCommand } from '../local/command.ts';
import { callEdge, type Operator, operatorOptions, readOperator } from '../local/operator.ts';

interface Ingested {
  id: string;
  outcome: 'created' | 'updated' | 'unchanged';
  passages: number;
}

const CONCURRENCY = 2;

await runCommand({
  name: 'npm run ingest',
  summary:
    'Uploads files as documents for the knowledge base. An unchanged file is skipped by the server, so ' +
    'an interrupted run can simply run again.',
  positionals: {
    value: 'FILE...',
    help: 'Files, folders (with everything below them) or glob patterns',
    isRequired: true,
  },
  options: {
    mine: { type: 'boolean', help: 'Only the user of the token sees the documents, not the whole tenant' },
    ...operatorOptions,
  },
  example: "npm run ingest -- 'docs/**' --tenant acme",
  async run({ mine, ...values }, patterns) {
    const files = await findFiles(patterns);
    if (files.length === 0) throw new Error('There is no file to read: no document type matches.');
    const operator = await readOperator(values);
    const report = countProgress(files.length);
    const outcomes: Record<string, number> = {};
    const queue = files.values();
    async function work(): Promise<void> {
      for (const file of queue) {
        const { outcome, detail } = await ingest(operator, file, !mine);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        report(`${file}: ${outcome}, ${detail}`);
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    console.log(
      Object.entries(outcomes)
        .map(([outcome, count]) => `${count} ${outcome}`)
        .join(', '),
    );
    if (outcomes.failed) process.exitCode = 1;
  },
});

async function findFiles(patterns: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  for (const pattern of patterns) {
    const info = await stat(pattern).catch(() => undefined);
    const wanted = info?.isDirectory() ? `${pattern}/**/*` : pattern;
    if (info?.isFile()) files.add(pattern);
    else for await (const path of glob(wanted)) if ((await stat(path)).isFile()) files.add(path);
  }
  return [...files].filter((file) => documentTypeOf(file, undefined) !== undefined).sort();
}

async function ingest(
  operator: Operator,
  file: string,
  isShared: boolean,
): Promise<{ outcome: string; detail: string }> {
  const form = new FormData();
  form.set('file', new Blob([await readFile(file)]), basename(file));
  form.set('name', relative('.', file));
  form.set('shared', String(isShared));
  try {
    const { outcome, passages } = await callEdge<Ingested>(operator, 'POST', '/v1/documents', form);
    return { outcome, detail: `${passages} ${passages === 1 ? 'passage' : 'passages'}` };
  } catch (error) {
    return { outcome: 'failed', detail: (error as Error).message };
  }
}
