/** Filters the texts of a prompt. System and developer messages come from the app and stay unchanged. */
import type { ChatMessage, ChatRequest, JsonObject, ToolCall } from '../../shared/model/chat-model.ts';
import type { PromptVerdict } from '../plugins/plugin.ts';
import type { OpenStream, TextStream } from './masking-stream.ts';

/** Thrown and caught in this file only: ends the filtering at the first refusal. */
class Refused extends Error {
  readonly label: string;
  readonly param: string;

  constructor(label: string, param: string) {
    super(label);
    this.label = label;
    this.param = param;
  }
}

export function filterPrompt(request: ChatRequest, open: OpenStream, toolArguments: boolean): PromptVerdict {
  let isMasked = false;

  /** The pieces of one text, filtered. */
  function filter(pieces: readonly string[], form: 'text' | 'json', param: string): string[] {
    const stream = open(form);
    const out = pieces.map((piece) => stream.push(piece));
    out.push(stream.end());
    refuseIf(stream, param);
    if (stream.masked === 0) return [...pieces];
    isMasked = true;
    return [...out.slice(0, -2), out.slice(-2).join('')];
  }

  function filterMessage(message: ChatMessage, param: string): ChatMessage {
    const filtered: ChatMessage = { ...message };
    const { content, refusal, tool_calls: calls } = message;
    if (typeof content === 'string') filtered.content = filter([content], 'text', `${param}.content`)[0];
    else if (Array.isArray(content)) filtered.content = filterParts(content, `${param}.content`);
    if (typeof refusal === 'string') filtered.refusal = filter([refusal], 'text', `${param}.refusal`)[0];
    if (calls && toolArguments)
      filtered.tool_calls = calls.map((call, index) => filterCall(call, `${param}.tool_calls[${index}]`));
    return filtered;
  }

  /** The text parts of a message are filtered as one text, so that no word is hidden across parts. */
  function filterParts(parts: readonly JsonObject[], param: string): JsonObject[] {
    const texts = parts.flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
    if (texts.length === 0) return [...parts];
    const filtered = filter(texts, 'text', param);
    let next = 0;
    return parts.map((part) => (typeof part.text === 'string' ? { ...part, text: filtered[next++] } : part));
  }

  function filterCall(call: ToolCall, param: string): ToolCall {
    const [filtered = ''] = filter([call.function.arguments], 'json', `${param}.function.arguments`);
    return { ...call, function: { ...call.function, arguments: filtered } };
  }

  try {
    const messages = request.messages.map((message, index) =>
      message.role === 'system' || message.role === 'developer'
        ? message
        : filterMessage(message, `messages[${index}]`),
    );
    return isMasked ? { outcome: 'mask', request: { ...request, messages } } : { outcome: 'pass' };
  } catch (error) {
    if (error instanceof Refused) return { outcome: 'refuse', label: error.label, param: error.param };
    throw error;
  }
}

function refuseIf({ refusal }: TextStream, param: string): void {
  if (refusal) throw new Refused(refusal.label, param);
}
