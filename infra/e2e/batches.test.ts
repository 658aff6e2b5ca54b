/** Files and batches by OpenAI's own client, through edge and core; and a core that is killed in the middle. */
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bringUpToDate, connectPostgres } from '../../core/db/database.ts';
import { lacksPostgres, type PostgresService, startPostgres } from './postgres-service.ts';
import { refuse, say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

const line = (customId: string, content: string) =>
  JSON.stringify({
    custom_id: customId,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'scripted-1', messages: [{ role: 'user', content }] },
  });

interface OutputLine {
  custom_id: string;
  response: {
    status_code: number;
    body: { choices: { message: { content: string } }[]; error?: { code: string } };
  };
}

async function clientOf(system: System, claims: object = {}): Promise<OpenAI> {
  const apiKey = await system.token({ sub: 'worker', scope: 'batch', ...claims });
  return new OpenAI({ baseURL: `${system.address}/v1`, apiKey, maxRetries: 0 });
}

async function begin(openai: OpenAI, lines: string[]): Promise<OpenAI.Batch> {
  const file = await openai.files.create({
    purpose: 'batch',
    file: await toFile(Buffer.from(lines.join('\n')), 'in.jsonl'),
  });
  return openai.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    metadata: { about: 'a test' },
  });
}

async function readLines(openai: OpenAI, id: string | null | undefined): Promise<OutputLine[]> {
  const text = await (await openai.files.content(id ?? '')).text();
  return text
    .trim()
    .split('\n')
    .map((row) => JSON.parse(row));
}

describe('a batch', () => {
  let system: System;
  let openai: OpenAI;
  beforeAll(async () => {
    system = await startSystem();
    openai = await clientOf(system);
  });
  afterAll(() => system?.stop());
  beforeEach(() => {
    system.upstream.calls.length = 0;
    system.upstream.behave(say('an answer'));
  });
  const ended = (id: string) =>
    expect
      .poll(async () => (await openai.batches.retrieve(id)).status, { timeout: 20_000, interval: 100 })
      .toMatch(/^(?:completed|failed|cancelled)$/);

  test('is answered line by line; what fails is told apart', async () => {
    system.upstream.behave((call, answer) => {
      const asked = String(call.body.messages.at(-1)?.content);
      return (asked === 'wrong' ? refuse(400, { message: 'no' }) : say(`You said ${asked}.`))(call, answer);
    });
    const made = await begin(openai, [line('one', 'hello'), line('two', 'wrong'), line('three', '你好')]);
    expect(made).toMatchObject({ object: 'batch', status: 'validating', metadata: { about: 'a test' } });
    await ended(made.id);
    const batch = await openai.batches.retrieve(made.id);
    expect(batch).toMatchObject({
      status: 'completed',
      request_counts: { total: 3, completed: 2, failed: 1 },
    });
    const output = await readLines(openai, batch.output_file_id);
    expect(
      output.map(({ custom_id, response }) => [custom_id, response.body.choices[0]?.message.content]),
    ).toEqual([
      ['one', 'You said hello.'],
      ['three', 'You said 你好.'],
    ]);
    const errors = await readLines(openai, batch.error_file_id);
    expect(errors).toMatchObject([
      { custom_id: 'two', response: { status_code: 400, body: { error: { code: 'upstream_rejected' } } } },
    ]);
    const file = await openai.files.retrieve(batch.output_file_id ?? '');
    expect(file).toMatchObject({ purpose: 'batch_output', filename: `${batch.id}_output.jsonl` });
    expect(file.bytes).toBe((await (await openai.files.content(file.id)).arrayBuffer()).byteLength);
  });

  test('is listed, page by page, and can be cancelled', async () => {
    system.upstream.behave(say('word '.repeat(2000), { paceMs: 20 }));
    const made = await begin(
      openai,
      Array.from({ length: 40 }, (_, index) => line(`${index}`, 'x')),
    );
    await expect.poll(() => system.upstream.calls.length, { timeout: 5000 }).toBeGreaterThan(0);
    expect((await openai.batches.cancel(made.id)).status).toBe('cancelling');
    await Promise.all(system.upstream.calls.map(({ aborted }) => aborted));
    await ended(made.id);
    const ids: string[] = [];
    for await (const batch of openai.batches.list({ limit: 1 })) ids.push(batch.id);
    expect(ids).toContain(made.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('that is wrong says on which line', async () => {
    const made = await begin(openai, [line('one', 'x'), 'no json']);
    await ended(made.id);
    const { status, errors } = await openai.batches.retrieve(made.id);
    expect([status, errors?.data?.[0]]).toMatchObject(['failed', { line: 2, code: 'invalid_json_line' }]);
    expect(system.upstream.calls).toHaveLength(0);
  });

  test('needs its scope, and is nobody else’s', async () => {
    const made = await begin(openai, [line('one', 'x')]);
    const plain = await clientOf(system, { scope: '' });
    await expect(plain.batches.retrieve(made.id)).rejects.toMatchObject({
      status: 403,
      code: 'insufficient_scope',
    });
    for (const claims of [{ sub: 'other' }, { tenant: 'other' }]) {
      const stranger = await clientOf(system, claims);
      await expect(stranger.batches.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
      await expect(stranger.files.content(made.input_file_id)).rejects.toMatchObject({ status: 404 });
      await expect(begin(stranger, [line('x', 'y')])).resolves.toBeDefined();
    }
    await ended(made.id);
  });

  test.each<[string, object, string]>([
    ['no file', { endpoint: '/v1/chat/completions', completion_window: '24h' }, 'input_file_id'],
    [
      'an endpoint that is none',
      { input_file_id: 'x', endpoint: '/v1/x', completion_window: '24h' },
      'endpoint',
    ],
    [
      'a window that is none',
      { input_file_id: 'x', endpoint: '/v1/embeddings', completion_window: 'soon' },
      'completion_window',
    ],
    [
      'a file that is not there',
      { input_file_id: 'x', endpoint: '/v1/embeddings', completion_window: '24h' },
      'input_file_id',
    ],
  ])('with %s is refused, and the field is named', async (_, body, param) => {
    await expect(openai.post('/batches', { body })).rejects.toMatchObject({ param });
  });

  test('a file that is no batch’s, or no text, is refused', async () => {
    const send = (bytes: Uint8Array, purpose: string) =>
      openai.files.create({
        purpose: purpose as 'batch',
        file: new File([bytes as Uint8Array<ArrayBuffer>], 'x'),
      });
    await expect(send(Buffer.from('{}'), 'vision')).rejects.toMatchObject({ status: 400, param: 'purpose' });
    await expect(send(Uint8Array.of(0xff, 0xfe), 'batch')).rejects.toMatchObject({
      status: 400,
      param: 'file',
    });
    await expect(send(Uint8Array.of(0x61, 0), 'batch')).rejects.toMatchObject({ status: 400, param: 'file' });
  });
});

/** How many lines; all are short, so that it is the queue that is at work. */
const LINES = 5000;
const KILLS = 3;

function describeKilled(name: string, more: () => Promise<Record<string, string>>, skip = false): void {
  describe.skipIf(skip)(`${LINES} lines, and the core killed ${KILLS} times, ${name}`, () => {
    let system: System;
    beforeAll(async () => {
      system = await startSystem({ env: { EDGEWISE_BATCH_CONCURRENCY: '32', ...(await more()) } });
    });
    afterAll(() => system?.stop());

    test('every line is there once', { timeout: 180_000 }, async () => {
      const openai = await clientOf(system);
      system.upstream.behave((call, answer) =>
        say(`Answer to ${call.body.messages.at(-1)?.content}.`)(call, answer),
      );
      const made = await begin(
        openai,
        Array.from({ length: LINES }, (_, index) => line(`line-${index}`, String(index))),
      );
      const completed = async () =>
        (await openai.batches.retrieve(made.id).catch(() => undefined))?.request_counts?.completed ?? 0;
      for (let kill = 1; kill <= KILLS; kill++) {
        await expect
          .poll(completed, { timeout: 60_000, interval: 50 })
          .toBeGreaterThan((kill * LINES) / (KILLS + 2));
        await system.killCore();
        await system.restartCore();
      }
      await expect
        .poll(async () => (await openai.batches.retrieve(made.id).catch(() => undefined))?.status, {
          timeout: 120_000,
          interval: 200,
        })
        .toBe('completed');
      const batch = await openai.batches.retrieve(made.id);
      expect(batch.request_counts).toEqual({ total: LINES, completed: LINES, failed: 0 });
      expect(batch.error_file_id).toBeNull();
      const output = await readLines(openai, batch.output_file_id);
      expect(output.map(({ custom_id }) => custom_id)).toEqual(
        Array.from({ length: LINES }, (_, index) => `line-${index}`),
      );
      for (const [index, { response }] of output.entries())
        expect(response.body.choices[0]?.message.content).toBe(`Answer to ${index}.`);
      // What was being answered at the moment of a kill is asked again, and nothing else.
      expect(system.upstream.calls.length).toBeLessThanOrEqual(LINES + KILLS * 3 * 32);
    });
  });
}

describeKilled('on the embedded database', async () => ({}));

let postgres: PostgresService | undefined;
describeKilled(
  'on PostgreSQL',
  async () => {
    postgres = await startPostgres();
    const connection = await connectPostgres(postgres.url);
    await bringUpToDate(connection);
    await connection.close();
    return { DATABASE_URL: postgres.url };
  },
  lacksPostgres(),
);
afterAll(() => postgres?.stop());
