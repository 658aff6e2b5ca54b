/** Files and batches over a database; run over the embedded one and a real server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BatchObject } from '../../shared/protocol/batch-protocol.ts';
import type { Database } from '../db/database.ts';
import type { AnswerLine } from './answer-line.ts';
import { createBatchWork } from './batch-work.ts';
import { createBatchWorker } from './batch-worker.ts';
import { createBatches } from './batches.ts';
import { createFiles } from './files.ts';

const wait = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
const line = (customId: string, content = 'hi') =>
  JSON.stringify({
    custom_id: customId,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'm', messages: [{ role: 'user', content }] },
  });
const linesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => line(`line-${index}`)).join('\n');
const newId = () => crypto.randomUUID();

export function describeBatches(name: string, openDatabase: () => Promise<Database>): void {
  describe(name, () => {
    const opening = openDatabase();
    // The first use makes the tables, which takes its time on a busy machine.
    beforeAll(async () => (await opening).withTenant('t', async () => undefined), 60_000);
    const stops: (() => Promise<void>)[] = [];
    afterAll(async () => {
      for (const stop of stops) await stop();
    });

    /** @param whileWriting Goes on as long as answers are written down. */
    async function setUp(
      answer: AnswerLine = async () => ({ status: 200, body: { said: 'yes' } }),
      whileWriting: () => Promise<void> = async () => undefined,
    ) {
      const database = await opening;
      const owner = { tenant: newId(), user: 'u' };
      const work = createBatchWork({ database, leaseMs: 2000, now: Date.now, newId });
      const errors: unknown[] = [];
      const calls: string[] = [];
      const startWorker = (concurrency = 8) => {
        const worker = createBatchWorker({
          work: {
            ...work,
            open: async () => (await work.open()).filter(({ tenant }) => tenant === owner.tenant),
            async finish(answers) {
              await Promise.all([work.finish(answers), whileWriting()]);
            },
          },
          answer: (asked, ...rest) => {
            calls.push(asked.body);
            return answer(asked, ...rest);
          },
          concurrency,
          maxLineMs: 60_000,
          leaseMs: 2000,
          idleMs: 50,
          now: Date.now,
          wait,
          random: Math.random,
          newId,
          onError: (error) => errors.push(error),
        });
        stops.push(() => worker.stop());
        return worker;
      };
      const files = createFiles({ database, now: Date.now, newId });
      const batches = createBatches({ database, now: Date.now, newId, onWork: () => undefined });
      const create = async (text: string, windowMs = 60_000) => {
        const { id } = await files.create(owner, { filename: 'in.jsonl', text });
        const wanted = { inputFile: id, endpoint: '/v1/chat/completions', window: '24h', plan: 'p' } as const;
        return batches.create(owner, { ...wanted, windowMs, metadata: { a: 'b' } });
      };
      const until = (id: string, ...statuses: BatchObject['status'][]) =>
        expect
          .poll(async () => (await batches.get(owner, id)).status, { timeout: 50_000 })
          .toSatisfy((status) => statuses.includes(status as BatchObject['status']));
      const read = async (id: string | null) => {
        let text = '';
        if (id !== null) for await (const piece of await files.content(owner, id)) text += piece;
        return text
          .split('\n')
          .filter(Boolean)
          .map((row) => JSON.parse(row) as { custom_id: string; response: { status_code: number } | null });
      };
      return { owner, files, batches, work, startWorker, create, until, read, calls, errors };
    }

    test('a file comes back as it went in, and is its user’s alone', async () => {
      const { files, owner } = await setUp();
      const text = `${'\u{1F600}x\n'.repeat(300_000)}end`;
      const made = await files.create(owner, { filename: 'smile.jsonl', text });
      expect(made).toMatchObject({ object: 'file', purpose: 'batch', bytes: Buffer.byteLength(text) });
      let back = '';
      for await (const piece of await files.content(owner, made.id)) back += piece;
      expect(back === text).toBe(true);
      const missing = { code: 'file_not_found' };
      await expect(files.get({ ...owner, user: 'v' }, made.id)).rejects.toMatchObject(missing);
      await expect(files.content({ ...owner, tenant: newId() }, made.id)).rejects.toMatchObject(missing);
      await files.remove(owner, made.id);
      await expect(files.get(owner, made.id)).rejects.toMatchObject(missing);
    });

    test('an answer that comes while others are written down is kept, and its line asked once', async () => {
      const isWriting = Promise.withResolvers<void>();
      let asked = 0;
      const { startWorker, create, until, calls, batches, owner } = await setUp(
        async () => {
          if (asked++ > 0) await isWriting.promise;
          return { status: 200, body: { said: 'yes' } };
        },
        async () => {
          isWriting.resolve();
          await wait(50);
        },
      );
      const { id } = await create(linesOf(2));
      startWorker().wake();
      await until(id, 'completed');
      expect((await batches.get(owner, id)).request_counts).toEqual({ total: 2, completed: 2, failed: 0 });
      expect(calls).toHaveLength(2);
    });

    test('lists go page by page, newest first', async () => {
      const { files, owner } = await setUp();
      const ids: string[] = [];
      for (let count = 0; count < 5; count++)
        ids.unshift((await files.create(owner, { filename: `${count}`, text: 'x' })).id);
      const seen: string[] = [];
      for (let after: string | undefined, more = true; more; after = seen.at(-1)) {
        const page = await files.list(owner, { limit: 2, after });
        seen.push(...page.data.map(({ id }) => id));
        more = page.hasMore;
      }
      expect(seen.toSorted()).toEqual(ids.toSorted());
    });

    test('every line is answered once, in the file’s order', async () => {
      const { create, until, read, batches, owner, startWorker, calls } = await setUp();
      const { id, status } = await create(linesOf(100));
      expect(status).toBe('validating');
      startWorker().wake();
      await until(id, 'completed');
      const batch = await batches.get(owner, id);
      expect(batch).toMatchObject({
        request_counts: { total: 100, completed: 100, failed: 0 },
        metadata: { a: 'b' },
      });
      expect(batch.error_file_id).toBeNull();
      const answers = await read(batch.output_file_id);
      expect(answers.map(({ custom_id }) => custom_id)).toEqual(
        Array.from({ length: 100 }, (_, index) => `line-${index}`),
      );
      expect(calls).toHaveLength(100);
    });

    test('several workers share a batch, and none answers another one’s line', async () => {
      const slow: AnswerLine = async () => {
        await wait(5);
        return { status: 200, body: {} };
      };
      const { create, until, startWorker, calls, batches, owner } = await setUp(slow);
      const { id } = await create(linesOf(150));
      for (let count = 0; count < 3; count++) startWorker(4).wake();
      await until(id, 'completed');
      expect(calls).toHaveLength(150);
      expect((await batches.get(owner, id)).request_counts).toEqual({
        total: 150,
        completed: 150,
        failed: 0,
      });
    });

    test('lines that fail are in a file of their own; those that may succeed later are asked again', async () => {
      const tries = new Map<string, number>();
      const { create, until, read, batches, owner, startWorker } = await setUp(async ({ body }) => {
        const count = (tries.get(body) ?? 0) + 1;
        tries.set(body, count);
        if (body.includes('wrong')) return { status: 400, body: { error: { code: 'bad' } } };
        return body.includes('later') && count < 3
          ? { status: 503, body: {}, retryAfterMs: 5.5 }
          : { status: 200, body: {} };
      });
      const { id } = await create([line('1', 'wrong'), line('2', 'later'), line('3')].join('\n'));
      startWorker().wake();
      await until(id, 'completed');
      const batch = await batches.get(owner, id);
      expect(batch.request_counts).toEqual({ total: 3, completed: 2, failed: 1 });
      expect((await read(batch.output_file_id)).map(({ custom_id }) => custom_id)).toEqual(['2', '3']);
      expect(await read(batch.error_file_id)).toMatchObject([
        { custom_id: '1', response: { status_code: 400 } },
      ]);
    });

    test('a file that is wrong fails the batch, and each fault is reported with its line', async () => {
      const { create, until, batches, owner, startWorker } = await setUp();
      const other = JSON.stringify({ ...JSON.parse(line('x')), url: '/v1/embeddings' });
      const { id } = await create([line('1'), '{', line('1'), other, '{"custom_id":"y"}'].join('\n'));
      startWorker().wake();
      await until(id, 'failed');
      expect((await batches.get(owner, id)).errors?.data.map(({ line: at, code }) => [at, code])).toEqual([
        [2, 'invalid_json_line'],
        [3, 'duplicate_custom_id'],
        [4, 'mismatched_endpoint'],
        [5, 'invalid_line'],
      ]);
    });

    test('cancelling ends what runs, and keeps what is done', async () => {
      let aborted = 0;
      const { create, until, read, batches, owner, startWorker } = await setUp(
        async ({ body }, _, signal) => {
          if (!body.includes('slow')) return { status: 200, body: {} };
          await wait(20_000, signal);
          aborted++;
          return { status: 499, body: {} };
        },
      );
      const slow = Array.from({ length: 30 }, (_, index) => line(`s${index}`, 'slow'));
      const { id } = await create([line('1'), line('2'), ...slow].join('\n'));
      const worker = startWorker(4);
      worker.wake();
      await expect.poll(async () => (await batches.get(owner, id)).request_counts.completed).toBe(2);
      expect((await batches.cancel(owner, id)).status).toBe('cancelling');
      worker.wake();
      await until(id, 'cancelled');
      expect(aborted).toBeGreaterThan(0);
      const batch = await batches.get(owner, id);
      expect((await read(batch.output_file_id)).map(({ custom_id }) => custom_id)).toEqual(['1', '2']);
      expect((await batches.cancel(owner, id)).status).toBe('cancelled');
    });

    test('a batch that is over its time says so of the lines that are left', async () => {
      const { create, until, read, batches, owner, startWorker } = await setUp(async (_, __, signal) => {
        await wait(60_000, signal);
        return { status: 200, body: {} };
      });
      const { id } = await create(linesOf(20), 1500);
      const worker = startWorker(2);
      worker.wake();
      await expect.poll(async () => (await batches.get(owner, id)).status).toBe('in_progress');
      await wait(1500);
      await worker.stop();
      startWorker(2).wake();
      await until(id, 'expired');
      const errors = await read((await batches.get(owner, id)).error_file_id);
      expect(errors).toHaveLength(20);
      expect(errors[0]).toMatchObject({
        custom_id: 'line-0',
        response: null,
        error: { code: 'batch_expired' },
      });
    });

    test('lines of a worker that is no more are taken again when their lease is over', async () => {
      const { create, until, work, owner, startWorker, calls, batches } = await setUp();
      const { id } = await create(linesOf(10));
      const [batch] = (await work.open()).filter(({ tenant }) => tenant === owner.tenant);
      if (!batch) throw new Error('there is no batch');
      await work.validate(batch);
      expect(await work.claim(batch, 4)).toHaveLength(4);
      startWorker().wake();
      await until(id, 'completed');
      expect(calls).toHaveLength(10);
      expect((await batches.get(owner, id)).request_counts.completed).toBe(10);
    });

    test('an answer that comes twice is there once', async () => {
      const { create, work, owner, batches } = await setUp();
      const { id } = await create(linesOf(2));
      const [batch] = (await work.open()).filter(({ tenant }) => tenant === owner.tenant);
      if (!batch) throw new Error('there is no batch');
      await work.validate(batch);
      const [first] = await work.claim(batch, 1);
      if (!first) throw new Error('there is no line');
      const answered = { line: first, isError: false, answer: '{"custom_id":"line-0"}' };
      await work.finish([answered]);
      await work.finish([{ ...answered, answer: '{"custom_id":"other"}' }]);
      expect((await batches.get(owner, id)).request_counts).toEqual({ total: 2, completed: 1, failed: 0 });
    });

    test('a batch is its user’s alone', async () => {
      const { create, batches, owner } = await setUp();
      const { id } = await create(linesOf(1));
      const missing = { code: 'batch_not_found' };
      await expect(batches.get({ ...owner, user: 'v' }, id)).rejects.toMatchObject(missing);
      await expect(batches.cancel({ ...owner, tenant: newId() }, id)).rejects.toMatchObject(missing);
      expect((await batches.list({ ...owner, user: 'v' }, { limit: 9, after: undefined })).data).toEqual([]);
      expect((await batches.list(owner, { limit: 9, after: undefined })).data).toHaveLength(1);
    });
  });
}
