/** How many tokens a message or a request takes: with a tokenizer, or bounded without one. */

import type { ChatMessage, ChatRequest, JsonObject, ToolCall } from './chat-model.ts';

/** Tokenizer families, by the name of their byte-pair encoding. */
export type TokenEncoding = 'o200k_base' | 'cl100k_base';

/** Every message is framed by this many tokens (OpenAI cookbook, "How to count tokens with tiktoken"). */
const MESSAGE_TOKENS = 3;
const NAME_TOKENS = 1;
/** Every reply is primed with this many. */
export const REPLY_PRIMING_TOKENS = 3;
/**
 * The least that an image, sound or file part is taken to need. What it really takes depends on its size and on the
 * model; this is what a 1024 x 1024 image takes in detail on the GPT-4o family.
 */
const MEDIA_PART_TOKENS = 765;

export type MediaKind = 'image' | 'audio' | 'file';
const mediaKinds: Readonly<Record<string, MediaKind>> = {
  image_url: 'image',
  input_image: 'image',
  input_audio: 'audio',
  audio_url: 'audio',
  file: 'file',
  input_file: 'file',
  video_url: 'file',
};
/**
 * Bytes of a part as JSON to one token. A picture's tokens depend on its pixels. Ten tokens a second of sound, at 4 kB of
 * compressed sound and a third more in base64. A file may be text, page by page.
 */
const mediaBytesAToken: Readonly<Record<MediaKind, number>> = {
  image: Number.POSITIVE_INFINITY,
  audio: 500,
  file: 32,
};

/** What a part of a message's content shows, where it is no text. */
export function mediaKindOf({ type }: JsonObject): MediaKind | undefined {
  return typeof type === 'string' && Object.hasOwn(mediaKinds, type) ? mediaKinds[type] : undefined;
}

/** @param bytes The part's size as JSON */
export function mediaTokens(kind: MediaKind, bytes: number): number {
  return Math.max(MEDIA_PART_TOKENS, Math.ceil(bytes / mediaBytesAToken[kind]));
}

/** Longest text that a tokenizer is given at once. */
const SLICE_CHARS = 1000;

/** Longest text that is counted in whole. A megabyte of short numbers and signs takes a tokenizer two seconds. */
export const COUNTED_CHARS = 32_000;
/** Characters of one request that a tokenizer is given; what comes after them is estimated. */
export const COUNTED_CHARS_OF_REQUEST = 64_000;
const ROUGH_BYTES_A_TOKEN = 4;

/**
 * A counter whose time is bounded. Byte-pair merging takes the square of the length of a run without a break, so that a
 * megabyte of one letter would take minutes: a text is counted slice by slice, which comes out higher by a token or two
 * for each {@link SLICE_CHARS} characters. Of one that is longer than {@link COUNTED_CHARS}, slices from its beginning to
 * its end stand for all of it.
 */
export function inSlices(count: (text: string) => number): (text: string) => number {
  return (text) => {
    if (text.length > COUNTED_CHARS) return estimate(text, count);
    let tokens = 0;
    for (let start = 0; start < text.length; start += SLICE_CHARS)
      tokens += count(text.slice(start, start + SLICE_CHARS));
    return tokens;
  };
}

function estimate(text: string, count: (text: string) => number): number {
  const slices = COUNTED_CHARS / SLICE_CHARS;
  const step = (text.length - SLICE_CHARS) / (slices - 1);
  let tokens = 0;
  for (let slice = 0; slice < slices; slice++) {
    const start = Math.floor(slice * step);
    tokens += count(text.slice(start, start + SLICE_CHARS));
  }
  return Math.ceil((tokens * text.length) / COUNTED_CHARS);
}

/**
 * A counter for the many texts of one request. After {@link COUNTED_CHARS_OF_REQUEST} characters it estimates: as many
 * tokens to a byte as the texts before had, and one to four bytes at least.
 */
export function withinBudget(count: (text: string) => number): (text: string) => number {
  let chars = 0;
  let bytes = 0;
  let tokens = 0;
  return (text) => {
    const work = Math.min(text.length, COUNTED_CHARS);
    if (chars + work > COUNTED_CHARS_OF_REQUEST) {
      const each = Math.max(1 / ROUGH_BYTES_A_TOKEN, bytes === 0 ? 0 : tokens / bytes);
      return Math.ceil(utf8Length(text) * each);
    }
    const counted = count(text);
    chars += work;
    bytes += utf8Length(text);
    tokens += counted;
    return counted;
  };
}

/** @param count Counts the tokens of one text. */
export function countMessageTokens(message: ChatMessage, count: (text: string) => number): number {
  let tokens = MESSAGE_TOKENS + count(message.role);
  if (typeof message.name === 'string') tokens += NAME_TOKENS + count(message.name);
  if (typeof message.tool_call_id === 'string') tokens += count(message.tool_call_id);
  for (const call of message.tool_calls ?? []) {
    tokens += MESSAGE_TOKENS + count(call.id) + countCall(call, count);
  }
  if (typeof message.content === 'string') return tokens + count(message.content);
  for (const part of message.content ?? []) tokens += countPart(part, count);
  return tokens;
}

function countPart(part: JsonObject, count: (text: string) => number): number {
  if (typeof part.text === 'string') return count(part.text);
  const kind = mediaKindOf(part);
  const text = JSON.stringify(part);
  return kind ? mediaTokens(kind, text.length) : count(text);
}

/** Fields of a request that steer a model or name the caller, and are no part of the prompt. */
const steeringFields: ReadonlySet<string> = new Set([
  'user',
  'metadata',
  'service_tier',
  'reasoning_effort',
  'verbosity',
  'safety_identifier',
  'prompt_cache_key',
  'stop',
  'logit_bias',
  'tool_choice',
]);

/** Tokens of a whole request: its messages, and the tools, formats and other texts beside them. */
export function countRequestTokens(
  { messages, params }: ChatRequest,
  count: (text: string) => number,
): number {
  const counter = withinBudget(count);
  let tokens = REPLY_PRIMING_TOKENS;
  for (const message of messages) tokens += countMessageTokens(message, counter);
  for (const [field, value] of Object.entries(params)) {
    if (steeringFields.has(field) || value === null) continue;
    if (typeof value === 'string') tokens += counter(value);
    else if (typeof value === 'object') tokens += counter(JSON.stringify(value));
  }
  return tokens;
}

function countCall(call: Partial<ToolCall>, count: (text: string) => number): number {
  // A call of another type than `function` is the model's own affair; its JSON is near enough.
  if (!call.function) return count(JSON.stringify(call));
  return count(call.function.name) + count(call.function.arguments);
}

/** A certain upper bound without a tokenizer: a token of a byte-level encoding is at least one byte. */
export function messageTokenBound(message: ChatMessage): number {
  return countMessageTokens(message, utf8Length);
}

export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A surrogate pair is two units and four bytes; half of one is encoded as U+FFFD, three bytes.
    if (isBetween(unit, 0xd800, 0xdbff) && isBetween(text.charCodeAt(index + 1), 0xdc00, 0xdfff)) index++;
  }
  return bytes;
}

function isBetween(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}

/**
 * Families by the beginning of a model's name, first match. The vocabularies of Llama 3, Qwen and DeepSeek
 * are their own; all grew out of `cl100k_base` or its like, so for them a count is an estimate, usually a
 * little high. The registry may say otherwise for any model.
 */
const families: readonly [pattern: RegExp, encoding: TokenEncoding][] = [
  [/^(?:gpt-4o|gpt-4\.|gpt-5|gpt-oss|chatgpt-4o|o\d)/, 'o200k_base'],
  // Azure writes gpt-35.
  [/^(?:gpt-4|gpt-3\.?5|text-embedding)/, 'cl100k_base'],
  [/llama|qwen|qwq|deepseek/, 'cl100k_base'],
];

/** The encoding to count a model's tokens with; `o200k_base` for a family that is not known. */
export function tokenEncodingFor(modelName: string): TokenEncoding {
  const name = modelName.toLowerCase().replace(/^.*\//, '').replace(/^ft:/, '');
  return families.find(([pattern]) => pattern.test(name))?.[1] ?? 'o200k_base';
}

/** About four bytes a token: near enough to bound an answer where no tokenizer is at hand. */
export function roughTokens(text: string): number {
  return Math.ceil(utf8Length(text) / ROUGH_BYTES_A_TOKEN);
}
