/**
 * The REST protocol of Upstash in front of a plain Redis, for tests and for operators of their own Redis.
 * A command is a JSON array, or a path that the body and the query continue; `/pipeline` and
 * `/multi-exec` take a list of commands. `Upstash-Encoding: base64` asks for encoded strings.
 */
import { timingSafeEqual } from 'node:crypto';
import { Hono, type MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Redis } from 'ioredis';
import * as v from 'valibot';
import { createScriptTranslator } from './upstash-scripts.ts';

const commandSchema = v.pipe(
  v.array(v.union([v.string(), v.number()])),
  v.minLength(1, 'a command needs a name'),
  v.transform((words) => words.map(String)),
);
const pipelineSchema = v.array(commandSchema);

/** All callers share one connection: a command that changes its state or blocks it would affect the others. */
const refusedCommands: ReadonlySet<string> = new Set(
  `auth blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin client discard exec hello monitor multi
   psubscribe psync punsubscribe quit replconf reset select shutdown ssubscribe subscribe sunsubscribe sync
   unsubscribe unwatch wait waitaof watch`.split(/\s+/),
);

type Answer = { result: unknown } | { error: string };

export interface RedisRestOptions {
  redis: Redis;
  /** The bearer token that callers must send. */
  token: string;
}

export function createRedisRest({ redis, token }: RedisRestOptions): Hono {
  const app = new Hono();

  const translate = createScriptTranslator();

  async function run(command: string[], base64: boolean): Promise<Answer> {
    const [name = '', ...args] = translate(command);
    try {
      return { result: encode(await redis.callBuffer(toCommandName(name), ...args), base64) };
    } catch (error) {
      return { error: (error as Error).message };
    }
  }

  app.use(bearer(token));

  app.post('/pipeline', async (c) => {
    const base64 = wantsBase64(c.req.header('upstash-encoding'));
    const commands = await body(c.req.json(), pipelineSchema);
    return c.json(await Promise.all(commands.map((command) => run(command, base64))));
  });

  app.post('/multi-exec', async (c) => {
    const base64 = wantsBase64(c.req.header('upstash-encoding'));
    const transaction = redis.multi();
    for (const [name = '', ...args] of await body(c.req.json(), pipelineSchema))
      transaction.callBuffer(toCommandName(name), ...args);
    const results = (await transaction.exec()) ?? [];
    return c.json(
      results.map(([error, result]) =>
        error ? { error: error.message } : { result: encode(result, base64) },
      ),
    );
  });

  app.on(['GET', 'POST', 'PUT'], '*', async (c) => {
    const command =
      c.req.path === '/'
        ? await body(c.req.json(), commandSchema)
        : pathCommand(c.req.url, await c.req.text());
    const answer = await run(command, wantsBase64(c.req.header('upstash-encoding')));
    return c.json(answer, 'error' in answer ? 400 : 200);
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

/** `/set/key?EX=10` with the body `value` is `SET key value EX 10`. */
function pathCommand(address: string, value: string): string[] {
  const { pathname, searchParams } = new URL(address);
  const words = pathname.slice(1).split('/').map(decodeURIComponent);
  if (value !== '') words.push(value);
  return [...words, ...[...searchParams].flat().filter((word) => word !== '')];
}

/**
 * In upper case, since ioredis transforms the replies of commands that it knows in lower case.
 * @throws Error in the form of Redis
 */
function toCommandName(name: string): string {
  if (!refusedCommands.has(name.toLowerCase())) return name.toUpperCase();
  throw new Error(`ERR Command is not available: '${name}'`);
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

/** Redis returns bytes and JSON holds text: bytes that are not UTF-8 survive only as base64. */
function encode(value: unknown, base64: boolean): unknown {
  if (Buffer.isBuffer(value)) return base64 ? value.toString('base64') : value.toString('utf8');
  if (Array.isArray(value)) return value.map((item) => encode(item, base64));
  return value;
}
