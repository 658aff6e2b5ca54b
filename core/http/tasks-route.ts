/** `POST /v1/tasks/:task`: what models do besides chat. See `shared/protocol/task-protocol.ts`. */
import { AppError } from '../../shared/errors.ts';
import { toConnectionError } from '../../shared/model/upstream-errors.ts';
import { type Task, TOKENS_HEADER, tasks } from '../../shared/protocol/task-protocol.ts';
import type { Embeddings } from '../embeddings/embeddings.ts';
import type { LiveRegistry } from '../models/live-registry.ts';
import type { TaskDispatchOptions } from '../tasks/dispatch-task.ts';
import { dispatchTask, type TaskAnswer } from '../tasks/dispatch-task.ts';
import type { TaskBody } from '../tasks/task-call.ts';
import { type TaskUsage, taskTokens } from '../tasks/task-usage.ts';
import type { CoreContext, CoreHandler } from './core-hono.ts';
import { parseBodyJson } from './parse-body-json.ts';

const BYTES_A_TOKEN = 4;

export function tasksRoute({
  registry,
  embeddings,
  taskDispatch,
  now,
}: {
  registry: LiveRegistry;
  embeddings: Embeddings;
  taskDispatch: TaskDispatchOptions;
  now: () => number;
}): CoreHandler {
  return async function task(c) {
    const name = c.req.param('task') as Task;
    if (!tasks.includes(name)) throw new AppError('route_not_found');
    const { tenant, deadlineMs } = c.get('request');
    const caller = { tenant, deadlineMs, priority: 'interactive' as const };
    const { signal } = c.req.raw;
    if (name === 'embeddings') {
      const answer = await embeddings.answer(parseBodyJson(c), caller, signal);
      return c.json(answer, 200, { [TOKENS_HEADER]: String(answer.usage.total_tokens) });
    }
    const body = await readBody(c);
    const model = body.kind === 'json' ? body.json.model : body.form.get('model');
    if (typeof model !== 'string') throw new AppError('missing_required_parameter', { param: 'model' });
    const { targets, maxRetries } = registry.current.targetsFor(name, model, caller);
    const left = new AbortController();
    const deadline = AbortSignal.timeout(Math.max(0, deadlineMs - now()));
    const answer = await dispatchTask(
      { task: name, body, tokens: Math.ceil(c.get('bytes').byteLength / BYTES_A_TOKEN) },
      targets,
      { caller, maxRetries, signal: AbortSignal.any([signal, deadline, left.signal]) },
      taskDispatch,
    );
    const usage = {
      model: answer.model,
      operation: name,
      tokenType: 'total',
      sentBytes: c.get('bytes').byteLength,
      onRejected: taskDispatch.onUsageRejected,
    } as const;
    return toResponse(answer, left, usage);
  };
}

async function readBody(c: CoreContext): Promise<TaskBody> {
  const type = c.req.header('content-type') ?? '';
  if (!type.startsWith('multipart/form-data')) return { kind: 'json', json: parseObject(c) };
  try {
    const form = await new Response(c.get('bytes'), { headers: { 'content-type': type } }).formData();
    return { kind: 'form', form };
  } catch (cause) {
    throw new AppError('invalid_value', { message: 'The form cannot be read.', cause });
  }
}

function parseObject(c: CoreContext): Record<string, unknown> {
  const json = parseBodyJson(c);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new AppError('invalid_type');
  return json as Record<string, unknown>;
}

/** JSON is read, for what it says of usage; anything else goes through as it comes. */
async function toResponse(
  { response, model, settle }: TaskAnswer,
  left: AbortController,
  usage: Omit<TaskUsage, 'said' | 'receivedBytes'>,
): Promise<Response> {
  const headers = new Headers(response.headers);
  headers.set('x-edgewise-model', model);
  headers.set('cache-control', 'no-store');
  if (/^application\/json\b/.test(headers.get('content-type') ?? '')) {
    let tokens: number | undefined;
    try {
      const text = await response.text();
      tokens = taskTokens({ ...usage, said: saidTokens(text), receivedBytes: text.length });
      if (tokens !== undefined) headers.set(TOKENS_HEADER, String(tokens));
      return new Response(text, { headers });
    } catch (cause) {
      throw toConnectionError(cause, { signal: left.signal, isOpen: true });
    } finally {
      settle(tokens);
    }
  }
  if (!response.body) {
    settle(undefined);
    return new Response(null, { headers });
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          settle(undefined);
          controller.close();
        } catch (error) {
          settle(undefined);
          throw error;
        }
      },
      cancel() {
        settle(undefined);
        left.abort();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers });
}

function saidTokens(text: string): unknown {
  try {
    const { usage } = JSON.parse(text) as { usage?: { total_tokens?: unknown } | null };
    return usage?.total_tokens;
  } catch {
    return undefined;
  }
}
