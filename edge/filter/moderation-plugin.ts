/**
 * Sends prompts, and answers if configured, to a moderation service. An answer is checked window by window before it is
 * sent to the client, or as a whole afterwards, when a flag can only be recorded.
 */
import { messageText } from '../../shared/model/chat-model.ts';
import type { AnswerHook, DeltaEvent, DeltaVerdict, Plugin } from '../plugins/plugin.ts';
import type { Moderate, Moderation } from './moderation.ts';

export interface ModerationPluginOptions extends Pick<Plugin, 'onFailure' | 'limitMs'> {
  moderate: Moderate;
  /** Lowest refused score by category; without thresholds, the service's `flagged` decides. */
  thresholds?: Readonly<Record<string, number>>;
  answers: 'off' | 'before' | 'after';
  /** Fewest characters of a window; as many preceding ones are sent along as context. Default 400. */
  windowChars?: number;
}

/** Longest text per judgement, in characters. A longer one is split. */
const MAX_TEXT_CHARS = 8000;
const DEFAULT_WINDOW_CHARS = 400;

export function createModerationPlugin(options: ModerationPluginOptions): Plugin {
  const { moderate, thresholds, answers, onFailure, limitMs } = options;
  const windowChars = options.windowChars ?? DEFAULT_WINDOW_CHARS;

  /** @returns the category for which one of the texts is refused */
  async function judge(texts: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    const parts = texts.flatMap(partsOf);
    if (parts.length === 0) return undefined;
    for (const moderation of await moderate(parts, signal)) {
      const objection = objectionTo(moderation, thresholds);
      if (objection !== undefined) return objection;
    }
    return undefined;
  }

  const plugin: Plugin = {
    name: 'moderation',
    onFailure,
    limitMs,
    async onPrompt({ messages }, { signal }) {
      const fromUser = messages.filter(({ role }) => role !== 'system' && role !== 'developer');
      const label = await judge(fromUser.map(messageText), signal);
      return label === undefined ? { outcome: 'pass' } : { outcome: 'refuse', label };
    },
  };
  if (answers === 'before') {
    plugin.onDelta = ({ signal }) => new ModeratedAnswer((text) => judge([text], signal), windowChars);
  }
  if (answers === 'after') {
    plugin.onAnswer = ({ text, refusal }, { signal }) => judge([text, refusal], signal);
  }
  return plugin;
}

function partsOf(text: string): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += MAX_TEXT_CHARS) parts.push(text.slice(at, at + MAX_TEXT_CHARS));
  return parts.filter((part) => part.trim() !== '');
}

function objectionTo(
  { flagged, categories, scores }: Moderation,
  thresholds: Readonly<Record<string, number>> | undefined,
): string | undefined {
  if (!thresholds) return flagged ? (categories[0] ?? 'flagged') : undefined;
  return Object.keys(thresholds).find((name) => (scores[name] ?? 0) >= (thresholds[name] ?? 1));
}

/** Owns the events of the current window. A window ends with the delta that fills it. */
class ModeratedAnswer implements AnswerHook {
  readonly #judge: (text: string) => Promise<string | undefined>;
  readonly #windowChars: number;
  #held: DeltaEvent[] = [];
  #waiting = '';
  #before = '';

  constructor(judge: (text: string) => Promise<string | undefined>, windowChars: number) {
    this.#judge = judge;
    this.#windowChars = windowChars;
  }

  async push(event: DeltaEvent): Promise<DeltaVerdict> {
    this.#held.push(event);
    this.#waiting += textOf(event);
    return this.#waiting.length < this.#windowChars ? { events: [] } : this.#release();
  }

  end(): DeltaVerdict | Promise<DeltaVerdict> {
    return this.#waiting === '' ? this.#takeHeld() : this.#release();
  }

  held(): DeltaEvent[] {
    return this.#held;
  }

  async #release(): Promise<DeltaVerdict> {
    const label = await this.#judge(this.#before + this.#waiting);
    if (label !== undefined) return { events: [], refuse: label };
    this.#before = (this.#before + this.#waiting).slice(-this.#windowChars);
    this.#waiting = '';
    return this.#takeHeld();
  }

  #takeHeld(): DeltaVerdict {
    const events = this.#held;
    this.#held = [];
    return { events };
  }
}

function textOf(event: DeltaEvent): string {
  if (event.type === 'tool-call-delta') return event.arguments;
  return event.type === 'extra-delta' ? '' : event.text;
}
