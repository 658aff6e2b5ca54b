import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { countProgress, runCommand } from '../local/command.ts';
import { type Operator, operatorOptions, readOperator } from '../local/operator.ts';
import { writeFileAtomic } from '../local/write-file-atomic.ts';

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

/** By hash of the question: when its answer was prepared and until when it is valid, Unix times in seconds. */
type Notes = Record<string, Note>;
interface Note {
  prepared_at: number;
  expires_at: number;
}

/** An answer is prepared again when less than this part of its lifetime is left. */
const REFRESH_PART = 0.2;
const CONCURRENCY = 4;

await runCommand({
  name: 'npm run warm',
  summary:
    'Asks a list of frequent questions through the edge and keeps the answers in the cache, for every ' +
    'user of the tenant. The state of a run is in FILE.prepared.json: an interrupted run continues, and ' +
    'a later one renews only what expires soon.',
  positionals: {
    value: 'FILE',
    help: 'JSON: [{"question": "...", "ttl_seconds": 3600}]; ttl_seconds may be left out',
    isRequired: true,
  },
  options: {
    again: { type: 'boolean', help: 'Ask every question again, however fresh its answer is' },
    ...operatorOptions,
  },
  example: 'npm run warm -- faq.json --tenant acme',
  async run({ again, ...values }, [path = '']) {
    const counts = await warm(path, await readOperator(values), again);
    const { prepared, fresh, refused, failed } = counts;
    console.log(`${prepared} prepared, ${fresh} still fresh, ${refused} refused, ${failed} failed.`);
    if (refused + failed > 0) process.exitCode = 1;
  },
});

async function warm(
  path: string,
  operator: Operator,
  again: boolean,
): Promise<Record<Outcome['kind'], number>> {
  const questions = await readList(path);
  const notesPath = `${path}.prepared.json`;
  const notes = again ? {} : await readNotes(notesPath);
  const counts = { prepared: 0, fresh: 0, refused: 0, failed: 0 };
  const report = countProgress(questions.length);
  // One write after the other, each atomic: questions end at the same time, and a run can be interrupted.
  let written = Promise.resolve();
  const writeNotes = () => {
    written = written.then(() => writeFileAtomic(notesPath, `${JSON.stringify(notes, null, 2)}\n`));
    return written;
  };
  const queue = questions.values();
  async function work(): Promise<void> {
    for (const question of queue) {
      const name = createHash('sha256').update(JSON.stringify(question)).digest('hex');
      const outcome: Outcome = isFresh(notes[name]) ? { kind: 'fresh' } : await prepare(operator, question);
      counts[outcome.kind]++;
      if (outcome.kind === 'prepared') {
        notes[name] = outcome.note;
        await writeNotes();
      }
      const detail = 'reason' in outcome ? `: ${outcome.reason}` : '';
      report(`${outcome.kind.padEnd(8)} ${question.question}${detail}`);
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return counts;
}

type Outcome =
  | { kind: 'prepared'; note: Note }
  | { kind: 'fresh' }
  | { kind: 'refused' | 'failed'; reason: string };

async function prepare({ url, token }: Operator, question: Question): Promise<Outcome> {
  try {
    const answer = await fetch(`${url}/v1/cache/prepared`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(question),
    });
    const body = (await answer.json()) as Note & { error?: { message: string } };
    if (answer.ok)
      return { kind: 'prepared', note: { prepared_at: body.prepared_at, expires_at: body.expires_at } };
    const kind = answer.status < 500 && answer.status !== 429 ? 'refused' : 'failed';
    return { kind, reason: body.error?.message ?? `status ${answer.status}` };
  } catch {
    return { kind: 'failed', reason: `${url} cannot be reached` };
  }
}

function isFresh(note: Note | undefined): boolean {
  if (!note) return false;
  const leftS = note.expires_at - Date.now() / 1000;
  return leftS > (note.expires_at - note.prepared_at) * REFRESH_PART;
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
  throw new Error(`${path} is not a list of questions:\n${faults.join('\n')}`);
}

async function readNotes(path: string): Promise<Notes> {
  const text = await readFile(path, 'utf8').catch(() => '{}');
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${path} is not valid JSON. Delete it to ask every question again.`);
  }
}
