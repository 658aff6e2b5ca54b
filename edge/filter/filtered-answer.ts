/** Filters one streamed answer. Owns a stream for each text of the answer. */
import type { JsonObject, JsonValue } from '../../shared/model/chat-model.ts';
import type { AnswerHook, DeltaEvent, DeltaVerdict } from '../plugins/plugin.ts';
import { isOpaque, type Path, textFields, toFields, withStrings } from './extra-fields.ts';
import type { OpenStream, TextStream } from './masking-stream.ts';

interface Channel {
  stream: TextStream;
  /** An event that carries a text of this channel. */
  toEvent: (text: string) => DeltaEvent;
}

type TextDelta = Extract<DeltaEvent, { type: 'text-delta' }>;

/**
 * Deltas of other kinds do not end a text. A held-back part of it is sent when it is decided, possibly after those deltas.
 */
export class FilteredAnswer implements AnswerHook {
  readonly #open: OpenStream;
  readonly #toolArguments: boolean;
  readonly #channels = new Map<string, Channel>();
  /** The log probabilities of held-back tokens, which would reveal masked text. */
  #logprobs: JsonValue[] = [];
  /** Masked findings in finished texts. */
  #maskedBefore = 0;
  #masked = 0;

  constructor(open: OpenStream, toolArguments: boolean) {
    this.#open = open;
    this.#toolArguments = toolArguments;
  }

  push(event: DeltaEvent): DeltaVerdict {
    switch (event.type) {
      case 'text-delta':
        return this.#pushText(event);
      case 'reasoning-delta':
      case 'refusal-delta': {
        const channel = this.#channel(event.type, 'text', (text) => ({ type: event.type, text }));
        const text = channel.stream.push(event.text);
        return this.#verdict(text === '' ? [] : [{ type: event.type, text }], channel.stream);
      }
      case 'tool-call-delta':
        return this.#pushCall(event);
      case 'extra-delta':
        return this.#pushFields(event.fields);
    }
  }

  end(): DeltaVerdict {
    const events: DeltaEvent[] = [];
    let refuse: string | undefined;
    for (const { stream, toEvent } of this.#channels.values()) {
      const text = stream.end();
      if (text !== '') events.push(toEvent(text));
      refuse ??= stream.refusal?.label;
    }
    return { events, refuse, masked: this.#newlyMasked() };
  }

  held(): DeltaEvent[] {
    return [...this.#channels.values()].flatMap(({ stream, toEvent }) => {
      const text = stream.held();
      return text === '' ? [] : [toEvent(text)];
    });
  }

  #pushText(event: TextDelta): DeltaVerdict {
    const { stream } = this.#channel(event.type, 'text', (text) => ({ type: 'text-delta', text }));
    const maskedBefore = stream.masked;
    const text = stream.push(event.text);
    if (event.logprobs !== undefined) this.#logprobs.push(event.logprobs);
    if (stream.masked > maskedBefore || stream.refusal) this.#logprobs = [];
    const out: TextDelta = { type: 'text-delta', text };
    if (this.#logprobs.length > 0 && stream.held() === '') {
      const logprobs = joinLogprobs(this.#logprobs);
      if (logprobs !== undefined) out.logprobs = logprobs;
      this.#logprobs = [];
    }
    return this.#verdict(text === '' && out.logprobs === undefined ? [] : [out], stream);
  }

  #pushCall(event: Extract<DeltaEvent, { type: 'tool-call-delta' }>): DeltaVerdict {
    if (!this.#toolArguments) return { events: [event] };
    const { index } = event;
    const toEvent = (text: string): DeltaEvent => ({ type: event.type, index, arguments: text });
    const { stream } = this.#channel(`${event.type} ${index}`, 'json', toEvent);
    const text = stream.push(event.arguments);
    const hasContent = text !== '' || event.id !== undefined || event.name !== undefined;
    return this.#verdict(hasContent ? [{ ...event, arguments: text }] : [], stream);
  }

  /** A field that is streamed in pieces is one text across deltas; any other string is a separate text. */
  #pushFields(fields: JsonObject): DeltaVerdict {
    let refuse: string | undefined;
    const filtered = withStrings(fields, (text, path) => {
      const isPiece = textFields.has(String(path.at(-1)));
      if (!isPiece && isOpaque(text)) return text;
      const stream = isPiece ? this.#fieldChannel(path).stream : this.#open('text');
      const out = isPiece ? stream.push(text) : stream.push(text) + stream.end();
      if (!isPiece) this.#maskedBefore += stream.masked;
      refuse ??= stream.refusal?.label;
      return out;
    });
    return { events: [{ type: 'extra-delta', fields: filtered }], refuse, masked: this.#newlyMasked() };
  }

  #fieldChannel(path: Path): Channel {
    return this.#channel(`extra-delta ${path.join(' ')}`, 'text', (text) => ({
      type: 'extra-delta',
      fields: toFields(path, text),
    }));
  }

  #channel(name: string, form: 'text' | 'json', toEvent: Channel['toEvent']): Channel {
    let channel = this.#channels.get(name);
    if (!channel) {
      channel = { stream: this.#open(form), toEvent };
      this.#channels.set(name, channel);
    }
    return channel;
  }

  #verdict(events: DeltaEvent[], stream: TextStream): DeltaVerdict {
    return { events, refuse: stream.refusal?.label, masked: this.#newlyMasked() };
  }

  #newlyMasked(): number {
    let masked = this.#maskedBefore;
    for (const { stream } of this.#channels.values()) masked += stream.masked;
    const newly = masked - this.#masked;
    this.#masked = masked;
    return newly;
  }
}

/** Merges the log probabilities of several deltas; `undefined` when they do not have OpenAI's form. */
function joinLogprobs(all: readonly JsonValue[]): JsonValue | undefined {
  if (all.length === 1) return all[0];
  const content: JsonValue[] = [];
  for (const one of all) {
    if (typeof one !== 'object' || one === null || !('content' in one) || !Array.isArray(one.content))
      return undefined;
    content.push(...one.content);
  }
  return { content };
}
