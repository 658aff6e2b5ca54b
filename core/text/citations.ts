/** Where an answer names the passages that it rests on, in OpenAI's form of annotations. */
import type { ChatRequest, JsonObject } from '../../shared/model/chat-model.ts';

/** A passage as a prompt shows it; its number there is its place in the list, from 1. */
export interface Passage {
  documentId: string;
  /** Its place in the document, from 1. */
  passage: number;
  /** The document's. */
  title: string;
  heading: string;
  text: string;
}

/** A prompt with the passages that stand in it, for a model that quotes. */
export interface ReferencedRequest extends ChatRequest {
  passages?: readonly Passage[];
}

/** `start_index` and `end_index` count UTF-16 units of the answer's text; the address is the edge's own. */
export function citationsIn(text: string, passages: readonly Passage[]): JsonObject[] {
  return [...text.matchAll(/\[(\d{1,3})\]/g)].flatMap(({ 0: mark, 1: number, index }) => {
    const found = passages[Number(number) - 1];
    if (!found) return [];
    const { documentId, passage, title, heading } = found;
    return [
      {
        type: 'url_citation',
        url_citation: {
          start_index: index,
          end_index: index + mark.length,
          title: heading === '' ? title : `${title}, ${heading}`,
          url: `/v1/documents/${documentId}/passages/${passage}`,
        },
      },
    ];
  });
}
