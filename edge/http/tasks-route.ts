/**
 * Tasks of models other than chat, at OpenAI's addresses: embeddings, speech, transcriptions, moderations, images. Limited
 * here, with a content filter on prompts, and forwarded to the core; see `shared/protocol/task-protocol.ts`.
 */

import { AppError } from '../../shared/errors.ts';
import type { JsonObject } from '../../shared/model/chat-model.ts';
import { roughTokens } from '../../shared/model/token-count.ts';
import { type Task, TOKENS_HEADER } from '../../shared/protocol/task-protocol.ts';
import type { AnswerPrompt } from '../chat/prompt-contract.ts';
import type { CoreCall } from '../core-client/core-call.ts';
import type { Limiter } from '../limits/create-limiter.ts';
import { toRateLimitHeaders } from '../limits/rate-limit-headers.ts';
import type { EdgeContext } from './edge-hono.ts';
import { readJson } from './json-body.ts';
import { readBytes } from './read-body.ts';

/** The field with the prompt, for the content filter. */
const promptFields: Partial<Record<Task, string>> = { speech: 'input', images: 'prompt' };
/** Bytes of a file per estimated token: a second of speech has 16 kB or more and a few words. */
const FILE_BYTES_PER_TOKEN = 4096;

interface TaskBody {
  model: string;
  body: string | Uint8Array<ArrayBuffer>;
  contentType: string;
  tokens: number;
}

export interface TasksRouteOptions {
  limiter: Pick<Limiter, 'call'>;
  prompts: Pick<AnswerPrompt, 'filterPrompt'>;
  callCore: CoreCall;
}

export function tasksRoute(
  task: Task,
  { limiter, prompts, callCore }: TasksRouteOptions,
): (c: EdgeContext) => Promise<Response> {
  return async function doTask(c) {
    const context = c.get('request');
    const { model, body, contentType, tokens } = await readTask(c, task, prompts);
    const limited = await limiter.call(context, { model, tokens });
    let used: number | undefined = 0;
    try {
      const response = await callCore(context, {
        method: 'POST',
        path: `/v1/tasks/${task}`,
        body,
        contentType,
        signal: c.req.raw.signal,
        isSlow: true,
      });
      used = Number(response.headers.get(TOKENS_HEADER) ?? tokens);
      const headers = new Headers(toRateLimitHeaders(limited.limits));
      for (const name of ['content-type', 'content-disposition', 'x-edgewise-model']) {
        const value = response.headers.get(name);
        if (value !== null) headers.set(name, value);
      }
      headers.set('cache-control', 'no-store');
      return new Response(response.body, { headers });
    } catch (error) {
      // Who leaves while the work is done pays what was reserved.
      if (c.req.raw.signal.aborted) used = tokens;
      throw error;
    } finally {
      limited.settle(used);
    }
  };
}

async function readTask(
  c: EdgeContext,
  task: Task,
  prompts: TasksRouteOptions['prompts'],
): Promise<TaskBody> {
  const type = c.req.header('content-type') ?? '';
  if (task === 'transcriptions') return readForm(c, type);
  const json = await readJson(c);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new AppError('invalid_type');
  const { model } = json as JsonObject;
  if (model === undefined) throw new AppError('missing_required_parameter', { param: 'model' });
  if (typeof model !== 'string') throw new AppError('invalid_type', { param: 'model' });
  const body = JSON.stringify(await filtered(c, task, { json: json as JsonObject, prompts }));
  return { model, body, contentType: 'application/json', tokens: roughTokens(body) };
}

/** Files for transcription are uploaded as a form, which the core parses; this only needs the name of the model. */
async function readForm(c: EdgeContext, contentType: string): Promise<TaskBody> {
  if (!/^multipart\/form-data\s*;/i.test(contentType)) {
    const message = 'The request body must be multipart/form-data.';
    throw new AppError('unsupported_media_type', { message });
  }
  const body = await readBytes(c, c.get('bodyLimits').maxUploadBytes);
  let form: FormData;
  try {
    form = await new Response(body, { headers: { 'content-type': contentType } }).formData();
  } catch (cause) {
    throw new AppError('invalid_value', { message: 'The form cannot be read.', cause });
  }
  const model = form.get('model');
  if (typeof model !== 'string') throw new AppError('missing_required_parameter', { param: 'model' });
  if (!form.has('file')) throw new AppError('missing_required_parameter', { param: 'file' });
  return { model, body, contentType, tokens: Math.ceil(body.byteLength / FILE_BYTES_PER_TOKEN) };
}

/** The body with its filtered prompt. @throws AppError `content_filter`, `filter_unavailable` */
async function filtered(
  c: EdgeContext,
  task: Task,
  { json, prompts }: { json: JsonObject; prompts: TasksRouteOptions['prompts'] },
): Promise<JsonObject> {
  const field = promptFields[task];
  const prompt = field === undefined ? undefined : json[field];
  if (field === undefined || typeof prompt !== 'string') return json;
  const request = { model: '', messages: [{ role: 'user' as const, content: prompt }], params: {} };
  const { messages } = await prompts.filterPrompt(request, c.get('request'), c.req.raw);
  return { ...json, [field]: messages[0]?.content as string };
}
