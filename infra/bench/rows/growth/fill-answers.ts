/**
 * Puts answers into the objects' SQLite, beneath a stopped edge, as many as are wanted. Every one is the answer that
 * the edge itself kept for a first question of that object, under the name of another question. Owns those first
 * answers, and how many there are by now.
 */
import { DatabaseSync } from 'node:sqlite';
import { answerKey } from '../../../../edge/cache/answer-key.ts';
import { parseChatCompletionRequest } from '../../../../shared/wire/chat-schema.ts';
import { timeStream } from '../../measure/first-token.ts';
import type { BenchEdge } from '../../systems/edge.ts';
import { toBody } from '../../systems/target.ts';
import { objectFiles } from './object-files.ts';

export interface AnswerFill {
  /** Question number 0 and so on have answers, so many of them. The edge must not run. @throws Error when they do not fit */
  growTo(size: number): Promise<void>;
}

interface Shard {
  path: string;
  /** The row that the edge wrote. */
  first: Record<string, string | number>;
}

/** Sixteen objects a tenant, by the first digit of the key. */
const DIGITS = [...'0123456789abcdef'];
/** What an object keeps at most. */
const MAX_SHARD_BYTES = 32 * 1024 * 1024;
/** As the bench asks, and as the edge is set up. */
const facts = { tenant: 'bench', model: 'bench-1', policy: '' };

export const questionOf = (number: number): string => `Question number ${number}?`;

/** Asks the first questions, one an object, and stops the edge for what it keeps of them. */
export async function createAnswerFill(edge: BenchEdge): Promise<AnswerFill> {
  const names = new Map<string, string>();
  for (let number = 0; names.size < DIGITS.length; number++) {
    const key = await keyOf(`First ${questionOf(number)}`);
    const digit = key[0] as string;
    if (names.has(digit)) continue;
    names.set(digit, key);
    await timeStream(edge, { stream: true, content: `First ${questionOf(number)}` });
  }
  let shards = new Map<string, Shard>();
  await edge.restart(async () => {
    shards = takeFirst(objectFiles(edge.dataDir, 'AnswersObject'));
  });
  for (const [digit, key] of names) {
    if (shards.get(digit)?.first.key !== key) throw new Error('The edge names questions in another way');
  }
  let filled = 0;
  return {
    async growTo(size) {
      const keys = new Map(DIGITS.map((digit) => [digit, [] as string[]]));
      for (; filled < size; filled++) {
        const key = await keyOf(questionOf(filled));
        keys.get(key[0] as string)?.push(key);
      }
      for (const [digit, shard] of shards) fillShard(shard, keys.get(digit) ?? []);
    },
  };
}

async function keyOf(content: string): Promise<string> {
  const { request } = parseChatCompletionRequest(JSON.parse(toBody({ stream: true, content })));
  return answerKey({ ...facts, request });
}

/** Takes what there is out of the objects' files. @returns them by the first digit of what they held */
function takeFirst(paths: readonly string[]): Map<string, Shard> {
  const shards = new Map<string, Shard>();
  for (const path of paths) {
    const database = new DatabaseSync(path);
    const rows = database.prepare('DELETE FROM answer RETURNING *').all() as Shard['first'][];
    database.close();
    for (const first of rows) shards.set(String(first.key)[0] as string, { path, first });
  }
  return shards;
}

function fillShard({ path, first }: Shard, keys: string[]): void {
  const database = new DatabaseSync(path);
  // What a crash would lose is made anew; keys in order keep the writing in few places.
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; BEGIN');
  const columns = Object.keys(first);
  const insert = database.prepare(
    `INSERT INTO answer (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  const [before = '', after = ''] = String(first.body).split(String(first.key));
  for (const key of keys.sort()) {
    insert.run(...Object.values({ ...first, key, body: `${before}${key}${after}` }));
  }
  database.exec('COMMIT');
  const { bytes } = database.prepare('SELECT COALESCE(SUM(bytes), 0) AS bytes FROM answer').get() as {
    bytes: number;
  };
  database.close();
  if (bytes > MAX_SHARD_BYTES) throw new Error(`An object keeps no ${bytes} bytes`);
}
