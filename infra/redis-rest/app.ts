/**
 * Upstash's REST protocol in front of a plain Redis: for tests, and for those who run their own Redis.
 * A command is a JSON array, `/pipeline` and `/multi-exec` take a list of them, and
 * `Upstash-Encoding: base64` asks for encoded strings.
 */
import { timingSafeEqual } from 'node:crypto';
import { Hono, type MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Redis } from 'ioredis';
import * as v from 'valibot';

const commandSchema = v.pipe(
  v.array(v.union([v.string(), v.number()])),
  v.minLength(1, 'a command needs a name'),
  v.transform((words) => words.map(String)),
);
const pipelineSchema = v.array(commandSchema);

type Answer = { result: unknown } | { error: string };

export interface RedisRestOptions {
  redis: Redis;
  /** The bearer token that callers must send. */
  token: string;
}

export function createRedisRest({ redis, token }: RedisRestOptions): Hono {
  const app = new Hono();

  async function run([name = '', ...args]: string[], base64: boolean): Promise<Answer> {
    try {
      return { result: encode(await redis.callBuffer(name, ...args), base64) };
    } catch (error) {
      return { error: (error as Error).message };
    }
  }

  app.use(bearer(token));

  app.post('/', async (c) => {
    const answer = await run(
      await body(c.req.json(), commandSchema),
      wantsBase64(c.req.header('upstash-encoding')),
    );
    return c.json(answer, 'error' in answer ? 400 : 200);
  });

  app.post('/pipeline', async (c) => {
    const base64 = wantsBase64(c.req.header('upstash-encoding'));
    const commands = await body(c.req.json(), pipelineSchema);
    return c.json(await Promise.all(commands.map((command) => run(command, base64))));
  });

  app.post('/multi-exec', async (c) => {
    const base64 = wantsBase64(c.req.header('upstash-encoding'));
    const transaction = redis.multi();
    for (const [name = '', ...args] of await body(c.req.json(), pipelineSchema))
      transaction.callBuffer(name, ...args);
    const results = (await transaction.exec()) ?? [];
    return c.json(
      results.map(([error, result]) =>
        error ? { error: error.message } : { result: encode(result, base64) },
      ),
    );
  });

  app.onError((error, c) => {
    const status = error instanceof HTTPException ? error.status : 400;
    return c.json({ error: error.message }, status);
  });
  return app;
}

/** Compares in constant time. */
function bearer(token: string): MiddlewareHandler {
  const expected = Buffer.from(`Bearer ${token}`);
  return async function authenticate(c, next) {
    const sent = Buffer.from(c.req.header('authorization') ?? '');
    if (sent.length !== expected.length || !timingSafeEqual(sent, expected)) {
      throw new HTTPException(401, { message: 'Unauthorized' });
    }
    await next();
  };
}

async function body<Schema extends v.GenericSchema>(
  json: Promise<unknown>,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const parsed = v.safeParse(schema, await json);
  if (parsed.success) return parsed.output;
  throw new HTTPException(400, { message: `ERR ${parsed.issues[0].message}` });
}

function wantsBase64(header: string | undefined): boolean {
  return header?.toLowerCase() === 'base64';
}

/** Redis speaks bytes, JSON text: what is no UTF-8 survives only as base64. */
function encode(value: unknown, base64: boolean): unknown {
  if (Buffer.isBuffer(value)) return base64 ? value.toString('base64') : value.toString('utf8');
  if (Array.isArray(value)) return value.map((item) => encode(item, base64));
  return value;
}
