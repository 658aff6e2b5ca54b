/** Strings in fields of a delta that Edgewise does not define. */
import type { JsonObject, JsonValue } from '../../shared/model/chat-model.ts';

export type Path = readonly (string | number)[];

/** Names of fields whose text is streamed in pieces: `reasoning_details[].text`, `audio.transcript`, ... */
export const textFields: ReadonlySet<string> = new Set([
  'content',
  'reasoning',
  'refusal',
  'summary',
  'text',
  'thinking',
  'transcript',
]);

/** Longer than any word and without a space: a signature, an address or encoded data, not text for a reader. */
export function isOpaque(text: string): boolean {
  return text.length > 64 && /^[\x21-\x7e]*$/.test(text);
}

/** The fields with each string replaced. */
export function withStrings(fields: JsonObject, replace: (text: string, path: Path) => string): JsonObject {
  const visit = (value: JsonValue | undefined, path: Path): JsonValue | undefined => {
    if (typeof value === 'string') return replace(value, path);
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]) ?? null);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, visit(item, [...path, name])]),
    );
  };
  return visit(fields, []) as JsonObject;
}

/** Fields that contain only a text at that path; a list has one item. */
export function toFields(path: Path, text: string): JsonObject {
  let value: JsonValue = text;
  for (const step of [...path].reverse()) value = typeof step === 'number' ? [value] : { [step]: value };
  return value as JsonObject;
}
