/** What is kept for good, found again and removed, over a database; run over the embedded one and a real server. */
import { sql } from 'drizzle-orm';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ArchivedMessage, ArchivedTurn } from '../../shared/protocol/archive-protocol.ts';
import type { Database } from '../db/database.ts';
import type { Owner } from '../db/owner.ts';
import { chunks } from '../db/schema.ts';
import { hasVectorTable } from '../db/vectors.ts';
import { createMemoryGenerationLog } from '../generations/memory-generation-log.ts';
import { type MemoryServices, openMemory } from '../memory/open-memory.ts';
import { createFeedback } from '../usage/feedback.ts';
import { createUsageReports } from '../usage/usage-report.ts';
import { createExportUser } from '../user-data/export-user.ts';
import { createRemoveUser } from '../user-data/remove-user.ts';
import { createRetention } from '../user-data/retention.ts';
import { type Archive, createArchive } from './archive.ts';

const nowMs = Date.UTC(2026, 10, 21);
const now = () => nowMs;
const newId = () => crypto.randomUUID();
const unused = () => {
  throw new Error('no model is called here');
};

let clock = 0;
function turnOf(
  sessionId: string | null,
  round: number,
  words: [string, string],
  more: Partial<ArchivedTurn> = {},
): ArchivedTurn {
  const turnId = newId();
  const startedAtMs = nowMs + clock++;
  const message = (index: number, role: 'user' | 'assistant'): ArchivedMessage => ({
    id: `${sessionId}-${round}-${index}`,
    parentId: index === 1 ? `${sessionId}-${round}-0` : round === 1 ? null : `${sessionId}-${round - 1}-1`,
    turnId,
    round,
    createdAtMs: startedAtMs,
    position: 2 * round + index,
    message: { role, content: words[index] ?? '' },
  });
  return {
    turnId,
    sessionId,
    status: 'completed',
    startedAtMs,
    endedAtMs: startedAtMs + 5,
    model: 'm',
    place: 'core',
    cache: null,
    usage: { inputTokens: 10, outputTokens: 5, estimated: false },
    error: null,
    messages: sessionId === null ? [] : [message(0, 'user'), message(1, 'assistant')],
    system: null,
    foldThroughRound: 0,
    ...more,
  };
}

/** @param open A database with its migrations run. @param hasVectors Whether it has pgvector. */
export function describeArchive(name: string, open: () => Promise<Database>, hasVectors: boolean): void {
  describe(name, () => {
    let database: Database;
    let remembered: MemoryServices;
    let archive: Archive;
    let ann: Owner;
    let ben: Owner;
    let stranger: Owner;
    beforeAll(async () => {
      database = await open();
      await database.withTenant('t', async () => undefined);
    }, 60_000);
    beforeEach(() => {
      const tenant = `tenant-${newId()}`;
      ann = { tenant, user: 'ann' };
      ben = { tenant, user: 'ben' };
      stranger = { tenant: `tenant-${newId()}`, user: 'ann' };
      const embeddings = { answer: unused, embed: unused };
      remembered = openMemory({
        database,
        embeddings,
        embeddingsModel: undefined,
        notesModel: undefined,
        resolve: unused,
        now,
        newId,
        onError: (error) => {
          throw error;
        },
      });
      archive = createArchive({ database, memory: remembered.memory, costOf: () => 7 });
    });
    const keep = (owner: Owner, turns: ArchivedTurn[]) => archive.keep(owner, { turns, notesTokens: 300 });
    const find = (owner: Owner, text: string, by?: 'words' | 'vectors') =>
      remembered.search
        .find({ tenant: owner.tenant, text, where: sql`${chunks.user} = ${owner.user}`, limit: 5, by })
        .then((found) => found.map((chunk) => chunk.text));

    test('a turn is kept once, however often it is sent', async () => {
      const turns = [turnOf('s', 1, ['Hello.', 'Hi\0 there \ud800.']), turnOf(null, 0, ['', ''])];
      for (let times = 0; times < 3; times++) await keep(ann, turns);
      const kept = await archive.session(ann, 's');
      expect(kept.messages.map(({ message }) => message)).toEqual([
        { role: 'user', content: 'Hello.' },
        { role: 'assistant', content: 'Hi\0 there \ud800.' },
      ]);
      const usage = createUsageReports(database);
      const range = { fromMs: 0, toMs: nowMs * 2, by: ['model'] as const };
      expect(await usage.read({ ...ann, ...range })).toMatchObject([
        { model: 'm', requests: 2, input_tokens: 20, output_tokens: 10, cost_usd: 0.000014 },
      ]);
      for (const other of [ben, stranger]) {
        await expect(archive.session(other, 's')).rejects.toMatchObject({ code: 'session_not_found' });
        expect(await usage.read({ ...other, ...range })).toEqual([]);
      }
    });

    test('a turn whose counts do not fit the columns is kept with the most that does', async () => {
      const usage = { inputTokens: 3e9, outputTokens: 1e18, cachedInputTokens: 1e308, estimated: false };
      await keep(ann, [turnOf('s', 1, ['Hello.', 'Hi.'], { usage })]);
      const range = { fromMs: 0, toMs: nowMs * 2, by: ['model'] as const };
      expect(await createUsageReports(database).read({ ...ann, ...range })).toMatchObject([
        { input_tokens: 2_147_483_647, output_tokens: 2_147_483_647 },
      ]);
    });

    test('notes go as far as they are asked to, and from where they were', async () => {
      for (let round = 1; round <= 6; round++)
        expect(
          await keep(ann, [turnOf('s', round, [`My number ${round} is 10${round}.`, 'Well.'])]),
        ).toBeUndefined();
      const folded = await keep(ann, [turnOf('s', 7, ['Hm.', 'Well.'], { foldThroughRound: 4 })]);
      expect(folded).toMatchObject({ throughRound: 4, throughMessageId: 's-4-1' });
      expect(folded?.lines.map(({ text }) => text)).toEqual(
        [1, 2, 3, 4].map((n) => `My number ${n} is 10${n}.`),
      );
      const further = await keep(ann, [turnOf('s', 8, ['Hm.', 'Well.'], { foldThroughRound: 6 })]);
      expect(further?.lines.map(({ round }) => round)).toEqual([1, 2, 3, 4, 5, 6]);
      expect((await archive.session(ann, 's')).notes).toEqual(further);
    });

    test('what was said is found by its words, in English and Chinese', async () => {
      await keep(ann, [
        turnOf('s', 1, ['My dentist is Doctor Brown.', 'Good to know.']),
        turnOf('s', 2, ['我的牙医姓王，电话是12345。', '好的。']),
        turnOf('s', 3, ["It's a 'quoted' \\ word | & !", 'Indeed.']),
      ]);
      expect((await find(ann, 'Who is my dentist?', 'words'))[0]).toBe('My dentist is Doctor Brown.');
      expect((await find(ann, '牙医的电话是多少？', 'words'))[0]).toContain('12345');
      expect((await find(ann, "'quoted' \\ | & ! word", 'words'))[0]).toContain('quoted');
      expect(await find(ann, '??', 'words')).toEqual([]);
      for (const other of [ben, stranger]) expect(await find(other, 'dentist', 'words')).toEqual([]);
    });

    test(
      hasVectors
        ? 'and by vectors, which a slip of the pen does not mislead'
        : 'and without pgvector by words alone',
      async () => {
        await keep(ann, [
          turnOf('s', 1, ['The subscription can be cancelled in the settings.', 'Good.']),
          turnOf('s', 2, ['Bananas are yellow.', 'They are.']),
        ]);
        await remembered.search.embedNew(ann.tenant);
        expect(await database.acrossTenants(hasVectorTable)).toBe(hasVectors);
        const found = await find(ann, 'how to cancell a subscripton', 'vectors');
        expect(found).toEqual(hasVectors ? ['The subscription can be cancelled in the settings.'] : []);
        expect(await find(ann, 'subscription settings')).toContain(
          'The subscription can be cancelled in the settings.',
        );
        expect(await find(stranger, 'cancelled subscription')).toEqual([]);
      },
    );

    test('a session that is removed is not found any more; what it used stays counted', async () => {
      await keep(ann, [turnOf('s', 1, ['A secret word: xylophone.', 'I see.'], { foldThroughRound: 1 })]);
      await remembered.search.embedNew(ann.tenant);
      await archive.removeSession(ann, 's');
      await expect(archive.session(ann, 's')).rejects.toMatchObject({ code: 'session_not_found' });
      expect(await find(ann, 'xylophone')).toEqual([]);
      const usage = createUsageReports(database);
      expect(await usage.read({ ...ann, fromMs: 0, toMs: nowMs * 2, by: ['model'] })).toMatchObject([
        { requests: 1 },
      ]);
      await archive.removeSession(ann, 's');
    });

    test('one turn’s words are forgotten, and the turn stays', async () => {
      const secret = turnOf('s', 1, ['My secret word is xylophone.', 'I see, xylophone.']);
      await keep(ann, [secret, turnOf('s', 2, ['My cat is Tom.', 'Hello Tom.'], { foldThroughRound: 2 })]);
      await archive.removeTurn(ann, { conversation: 's', turnId: secret.turnId });
      const kept = await archive.session(ann, 's');
      expect(JSON.stringify(kept)).not.toContain('xylophone');
      expect(kept.messages).toHaveLength(4);
      expect(kept.notes?.lines.map(({ text }) => text)).toEqual(['My cat is Tom.']);
      expect(await find(ann, 'xylophone')).toEqual([]);
    });

    test('a user is exported whole, and removed whole, alone', async () => {
      const turn = turnOf('s', 1, ['I like canaries.', 'Me, too.'], { foldThroughRound: 1 });
      const theirs = turnOf('s', 1, ['I like crows.', 'Fine.']);
      await keep(ann, [turn]);
      await keep(ben, [theirs]);
      const preferences = remembered.preferences;
      await preferences.setRecallAcross(ann, true);
      await createFeedback(database, now).give(ann, { turnId: turn.turnId, rating: 'up', text: 'canary' });
      const bytes = new TextEncoder().encode('# Birds\n\nAll about canaries.');
      await remembered.documents.ingest(ann, {
        name: 'birds.md',
        type: 'text/markdown',
        bytes,
        isShared: false,
      });
      const read = async (owner: Owner) => {
        let text = '';
        for await (const lines of createExportUser(database)(owner)) text += lines;
        return text === ''
          ? []
          : text
              .trim()
              .split('\n')
              .map((line) => JSON.parse(line));
      };
      const lines = await read(ann);
      expect(lines.map(({ type }) => type)).toEqual([
        'preference',
        'conversation',
        'message',
        'message',
        'note',
        'usage',
        'feedback',
        'document',
        'passage',
      ]);
      expect(lines[2]).toMatchObject({
        conversation: 's',
        body: { role: 'user', content: 'I like canaries.' },
      });
      const remove = createRemoveUser({ database, generationLog: createMemoryGenerationLog(), preferences });
      expect(await remove(ann)).toMatchObject({
        messages: 2,
        conversations: 1,
        notes: 1,
        usage: 1,
        feedback: 1,
        documents: 1,
        passages: 1,
        preferences: 1,
        message_pieces: 2,
      });
      expect(await read(ann)).toEqual([]);
      expect(await preferences.recallsAcross(ann)).toBe(false);
      expect(await find(ann, 'canaries')).toEqual([]);
      expect((await read(ben)).map(({ type }) => type)).toEqual([
        'conversation',
        'message',
        'message',
        'usage',
      ]);
    });

    test('what is older than its tenant keeps it goes, and nothing else', async () => {
      const dayMs = 86_400_000;
      const old = { startedAtMs: nowMs - 40 * dayMs, endedAtMs: nowMs - 40 * dayMs };
      for (const owner of [ann, stranger])
        await keep(owner, [
          turnOf('old', 1, ['Old words.', 'Yes.'], old),
          turnOf('new', 1, ['New words.', 'Yes.']),
        ]);
      const apply = createRetention({ database, days: new Map([[ann.tenant, 30]]), now });
      expect(await apply()).toEqual({ conversations: 1, usage: 1 });
      expect(await apply()).toEqual({ conversations: 0, usage: 0 });
      await expect(archive.session(ann, 'old')).rejects.toMatchObject({ code: 'session_not_found' });
      expect(await find(ann, 'words')).toEqual(['New words.']);
      expect((await archive.session(ann, 'new')).messages).toHaveLength(2);
      expect((await archive.session(stranger, 'old')).messages).toHaveLength(2);
    });

    test('the database itself keeps tenants apart, for a role that owns nothing', async () => {
      await keep(ann, [turnOf('s', 1, ['A secret.', 'Yes.'], { foldThroughRound: 1 })]);
      const bytes = new TextEncoder().encode('A shared secret.');
      await remembered.documents.ingest(ann, { name: 'a.txt', type: 'text/plain', bytes, isShared: true });
      await remembered.preferences.setRecallAcross(ann, true);
      const tables = ['conversation', 'message', 'usage', 'note', 'document', 'chunk', 'preference'];
      if (hasVectors) tables.push('chunk_vector');
      const count = (tenant: string, table: string) =>
        database.withTenant(tenant, async (inner) => {
          const { rows } = (await inner.execute(
            sql.raw(`SELECT count(*)::int AS count, current_user AS role FROM "${table}"`),
          )) as unknown as { rows: { count: number; role: string }[] };
          expect(rows[0]?.role).toBe('edgewise_app');
          return rows[0]?.count;
        });
      for (const table of tables) {
        expect([table, await count(ann.tenant, table)]).not.toEqual([table, 0]);
        expect([table, await count(stranger.tenant, table)]).toEqual([table, 0]);
        const steal = database.withTenant(stranger.tenant, (inner) =>
          inner.execute(sql.raw(`UPDATE "${table}" SET tenant = '${stranger.tenant}'`)),
        );
        await steal;
        expect(await count(stranger.tenant, table)).toBe(0);
      }
      const smuggle = database.withTenant(stranger.tenant, (inner) =>
        inner.execute(sql`INSERT INTO preference VALUES (${ann.tenant}, 'x', true)`),
      );
      await expect(smuggle).rejects.toThrow();
    });
  });
}
