/**
 * `npm run warm -- faq.json`: asks a list of frequent questions through the edge and keeps the answers for every
 * user of the tenant. What was prepared is noted beside the list, so that a run that was broken off goes on, and
 * a later one asks only what is about to get old.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { type Operator, operatorOptions, readOperator } from '../local/operator.ts';
import { runMain } from '../local/run-main.ts';
import { writeWhole } from '../local/write-whole.ts';

const listSchema = v.pipe(
  v.array(
    v.looseObject({
      question: v.pipe(v.string('must be a text'), v.trim(), v.minLength(1, 'must not be empty')),
      ttl_seconds: v.optional(v.number('must be a number')),
    }),
    'must be a list',
  ),
  v.minLength(1, 'must not be empty'),
);
type Question = v.InferOutput<typeof listSchema>[number];

/** By hash of the question: when it was prepared and until when it holds, Unix times in seconds. */
type Notes = Record<string, { prepared_at: number; expires_at: number }>;

/** A question is asked again when this part of its time is left. */
const REFRESH_PART = 0.2;
const AT_ONCE = 4;
const usage =
  'npm run warm -- faq.json [--url http://127.0.0.1:8787] [--tenant default] [--token TOKEN] [--again]';

await runMain(async () => {
  const { path, operator, again } = await readOptions();
  const questions = await readList(path);
  const notesPath = `${path}.prepared.json`;
  const notes = again ? {} : await readNotes(notesPath);
  const counts = { prepared: 0, fresh: 0, refused: 0, failed: 0 };
  const waiting = [...questions.entries()];
  /** One write after the other, each whole or not at all: questions end at the same time, and a run can be broken off. */
  let written = Promise.resolve();
  const keepNotes = () => {
    written = written.then(() => writeWhole(notesPath, `${JSON.stringify(notes, null, 2)}\n`));
    return written;
  };

  async function work(): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, question] = next;
      const name = createHash('sha256').update(JSON.stringify(question)).digest('hex');
      const outcome = isFresh(notes[name]) ? { kind: 'fresh' as const } : await prepare(operator, question);
      counts[outcome.kind]++;
      if (outcome.kind === 'prepared') {
        notes[name] = outcome.note;
        await keepNotes();
      }
      const detail = 'reason' in outcome ? `: ${outcome.reason}` : '';
      console.log(`${String(index + 1).padStart(4)} ${outcome.kind.padEnd(8)} ${question.question}${detail}`);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const { prepared, fresh, refused, failed } = counts;
  console.log(`\n${prepared} prepared, ${fresh} still fresh, ${refused} refused, ${failed} failed.`);
  if (refused + failed > 0) process.exitCode = 1;
});

type Outcome = { kind: 'prepared'; note: Notes[string] } | { kind: 'refused' | 'failed'; reason: string };

async function prepare({ url, token }: Operator, question: Question): Promise<Outcome> {
  try {
    const answer = await fetch(`${url}/v1/cache/prepared`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(question),
    });
    const body = (await answer.json()) as Notes[string] & { error?: { message: string } };
    if (answer.ok)
      return { kind: 'prepared', note: { prepared_at: body.prepared_at, expires_at: body.expires_at } };
    const kind = answer.status < 500 && answer.status !== 429 ? 'refused' : 'failed';
    return { kind, reason: body.error?.message ?? `status ${answer.status}` };
  } catch {
    return { kind: 'failed', reason: `${url} cannot be reached` };
  }
}

function isFresh(note: Notes[string] | undefined): boolean {
  if (!note) return false;
  const leftS = note.expires_at - Date.now() / 1000;
  return leftS > (note.expires_at - note.prepared_at) * REFRESH_PART;
}

async function readOptions() {
  const { values, positionals } = parseArgs({
    options: { ...operatorOptions, again: { type: 'boolean' } },
    allowPositionals: true,
  });
  const [path] = positionals;
  if (path === undefined) throw new Error(`The list of questions is missing.\n${usage}`);
  return { path, operator: await readOperator(values), again: values.again ?? false };
}

/** @throws Error that names every fault of the list */
async function readList(path: string): Promise<Question[]> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Error(`${path} cannot be read.`);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`${path} is not valid JSON.`);
  }
  const parsed = v.safeParse(listSchema, json);
  if (parsed.success) return parsed.output;
  const faults = parsed.issues.map((issue) => `  ${v.getDotPath(issue) ?? 'the list'} ${issue.message}`);
  throw new Error(`${path} is no list of questions:\n${faults.join('\n')}`);
}

async function readNotes(path: string): Promise<Notes> {
  const text = await readFile(path, 'utf8').catch(() => '{}');
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${path} is not valid JSON. Delete it, and every question is asked again.`);
  }
}
