/** Stands for a paid service of embeddings, speech, transcription, moderation and images. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

export interface TaskCall {
  path: string;
  /** Of a form: each field, a file as its name and its size. */
  body: Record<string, unknown>;
  authorization: string | undefined;
  aborted: Promise<void>;
}

export interface TaskUpstream {
  readonly baseUrl: string;
  readonly calls: TaskCall[];
  /** The next so many calls fail with this status; 0: none. */
  fail(status: number, times: number): void;
  close(): Promise<void>;
}

/** What a text means to the scripted model: any text has its own vector. */
export function scriptedVector(text: string): number[] {
  const vector = [0, 0, 0, 0];
  for (const [index, character] of [...text].entries())
    vector[index % 4] = ((vector[index % 4] as number) * 31 + (character.codePointAt(0) ?? 0)) % 1009;
  return vector.map((value) => value / 1024);
}

export async function startTaskUpstream(): Promise<TaskUpstream> {
  const calls: TaskCall[] = [];
  let failure = { status: 0, times: 0 };
  const app = new Hono();
  app.use(async (c, next) => {
    const isForm = c.req.header('content-type')?.startsWith('multipart/');
    const fields = isForm ? await c.req.parseBody() : await c.req.json();
    const body: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(fields))
      body[name] = value instanceof File ? { name: value.name, size: value.size } : value;
    const gone = Promise.withResolvers<void>();
    c.req.raw.signal.addEventListener('abort', () => gone.resolve());
    const { pathname } = new URL(c.req.url);
    calls.push({ path: pathname, body, authorization: c.req.header('authorization'), aborted: gone.promise });
    c.set('fields' as never, body as never);
    if (failure.times-- > 0)
      return new Response(JSON.stringify({ error: { message: 'no' } }), { status: failure.status });
    await next();
  });
  const fieldsOf = (c: { get: (name: never) => unknown }) =>
    c.get('fields' as never) as Record<string, unknown>;
  app.post('/v1/embeddings', (c) => {
    const { input, model } = fieldsOf(c) as { input: string[]; model: string };
    const data = input.map((text, index) => ({
      object: 'embedding',
      index,
      embedding: scriptedVector(text),
    }));
    const tokens = input.length;
    // Their order is the index's to say.
    return c.json({
      object: 'list',
      data: data.reverse(),
      model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  });
  app.post('/v1/moderations', (c) =>
    c.json({ id: 'modr', model: fieldsOf(c).model, results: [{ flagged: false }] }),
  );
  app.post('/v1/images/generations', (c) =>
    c.json({ created: 1, data: [{ b64_json: 'aW1hZ2U=' }], usage: { total_tokens: 42 } }),
  );
  app.post('/v1/audio/transcriptions', (c) => {
    const { file } = fieldsOf(c) as { file: { name: string; size: number } };
    return c.json({ text: `${file.name} of ${file.size} bytes` });
  });
  app.post('/v1/audio/speech', (c) => {
    const pieces = String(fieldsOf(c).input).split(' ');
    const body = new ReadableStream({
      async pull(controller) {
        const piece = pieces.shift();
        if (piece === undefined) return controller.close();
        controller.enqueue(new TextEncoder().encode(`[${piece}]`));
        await new Promise((resolve) => setTimeout(resolve, 30));
      },
    });
    return new Response(body, { headers: { 'content-type': 'audio/mpeg' } });
  });
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 });
  if (!server.listening) await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    calls,
    fail(status, times) {
      failure = { status, times };
    },
    async close() {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
