/** One call of one upstream for a task that is not chat. The answer's bytes are the upstream's, up to a bound. */
import { AppError } from '../../shared/errors.ts';
import { readUpstreamError, toConnectionError } from '../../shared/model/upstream-errors.ts';
import { type Task, taskPaths } from '../../shared/protocol/task-protocol.ts';
import { boundedResponse } from '../../shared/stream/bounded-bytes.ts';
import type { Target } from '../models/target.ts';
import { MAX_ANSWER_BYTES } from '../providers/openai-compatible.ts';
import { removeSecrets } from '../providers/own-secrets.ts';
import { describeRejection } from '../providers/rejection-text.ts';

/** A body that names its model: JSON, or a form with its files. */
export type TaskBody = { kind: 'json'; json: Record<string, unknown> } | { kind: 'form'; form: FormData };

/** @throws AppError with the upstream's failure, before its first byte */
export async function callTask(
  task: Task,
  body: TaskBody,
  { upstream, upstreamModel, timeLimits, secrets }: Target,
  { signal, fetch }: { signal: AbortSignal; fetch: typeof globalThis.fetch },
): Promise<Response> {
  const headers: Record<string, string> = {};
  if (upstream.kind === 'azure') headers['api-key'] = upstream.apiKey;
  else if (upstream.apiKey !== undefined) headers.authorization = `Bearer ${upstream.apiKey}`;
  if (body.kind === 'json') headers['content-type'] = 'application/json';
  // Until the answer begins; a long answer may take its time.
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), timeLimits.firstTokenMs);
  let response: Response;
  try {
    response = await fetch(addressOf(task, upstream, upstreamModel), {
      method: 'POST',
      headers,
      body: withModel(body, upstreamModel),
      redirect: 'manual',
      signal: AbortSignal.any([signal, silence.signal]),
    });
  } catch (cause) {
    if (silence.signal.aborted && !signal.aborted) throw new AppError('first_token_timeout', { cause });
    throw toConnectionError(cause, { signal, isOpen: false });
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) throw await readUpstreamError(response, { describe: describeRejection(secrets) });
  const { body: answer, status } = response;
  return boundedResponse(
    new Response(answer, { status, headers: passedOn(response, secrets) }),
    MAX_ANSWER_BYTES,
  );
}

/** The headers of an upstream's answer that are passed on. */
const passedHeaders = ['content-type', 'content-disposition'];

function passedOn({ headers }: Response, secrets: readonly string[]): Headers {
  const passed = new Headers();
  for (const name of passedHeaders) {
    const value = headers.get(name);
    if (value !== null && removeSecrets(value, secrets) === value) passed.set(name, value);
  }
  return passed;
}

function addressOf(task: Task, upstream: Target['upstream'], upstreamModel: string): string {
  const path = taskPaths[task];
  if (upstream.kind === 'openai') return upstream.baseUrl.replace(/\/+$/, '') + path;
  const root = upstream.endpoint.replace(/\/+$/, '');
  const deployment = encodeURIComponent(upstreamModel);
  return `${root}/openai/deployments/${deployment}${path}?api-version=${encodeURIComponent(upstream.apiVersion)}`;
}

function withModel(body: TaskBody, model: string): string | FormData {
  if (body.kind === 'json') return JSON.stringify({ ...body.json, model });
  const form = new FormData();
  for (const [name, value] of body.form) if (name !== 'model') form.append(name, value);
  form.append('model', model);
  return form;
}
