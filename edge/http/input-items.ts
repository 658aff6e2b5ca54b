/** Messages, stored in the form of Chat Completions, as the input items of OpenAI's Responses API. */
import type { ChatMessage, JsonObject } from '../../shared/model/chat-model.ts';

export interface InputItem {
  id: string;
  [field: string]: unknown;
}

/** @param id part of each item's id; unique among the messages of a response */
export function toInputItems(message: ChatMessage, id: string): InputItem[] {
  const { role, content, tool_call_id: callId } = message;
  if (role === 'tool') {
    const output = Array.isArray(content) ? content.map(toInputPart) : (content ?? '');
    return [{ id: `fco_${id}`, type: 'function_call_output', status: 'completed', call_id: callId, output }];
  }
  const calls = (message.tool_calls ?? []).map((call, index) => ({
    id: `fc_${id}_${index}`,
    type: 'function_call',
    status: 'completed',
    call_id: call.id,
    ...call.function,
  }));
  if (content == null) return calls;
  const parts: JsonObject[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const toPart = role === 'assistant' ? toOutputPart : toInputPart;
  const item = { id: `msg_${id}`, type: 'message', role, status: 'completed', content: parts.map(toPart) };
  return [item, ...calls];
}

function toOutputPart(part: JsonObject): JsonObject {
  if (part.type !== 'text') return toInputPart(part);
  return { type: 'output_text', text: part.text ?? '', annotations: [] };
}

/** A part with the same form in both APIs, such as `input_audio` or `refusal`, stays unchanged. */
function toInputPart(part: JsonObject): JsonObject {
  if (part.type === 'text') return { type: 'input_text', text: part.text ?? '' };
  if (part.type === 'image_url') {
    const { url = null, detail = 'auto' } = part.image_url as JsonObject;
    return { type: 'input_image', detail, image_url: url };
  }
  if (part.type === 'file') return { type: 'input_file', ...(part.file as JsonObject) };
  return part;
}
