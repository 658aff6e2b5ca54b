import type { ChatEvent } from './chat-model.ts';

/** Fields that the core adds to an answer: no model wrote them. */
const ownFields: ReadonlySet<string> = new Set(['edgewise', 'annotations']);

/** What a model has written in an event, as it is counted: words, thoughts, calls, and fields that Edgewise does not know. */
export function saidText(event: ChatEvent): string {
  if (event.type === 'tool-call-delta') return (event.name ?? '') + event.arguments;
  if (event.type !== 'extra-delta') return 'text' in event ? event.text : '';
  let text = '';
  for (const [field, value] of Object.entries(event.fields)) {
    if (!ownFields.has(field) && value !== undefined) text += JSON.stringify(value);
  }
  return text;
}
