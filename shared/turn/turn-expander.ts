/** Turns a model's events into the events of a turn. Owns the turn's structure; knows no wire and no log. */

import type { ErrorInfo } from '../errors.ts';
import type { ChatEvent, FinishReason, Usage } from '../model/chat-model.ts';
import { noUsage, type PartKind, type TurnEvent, type TurnRoute } from './turn-events.ts';

export interface TurnHead {
  turnId: string;
  /** Unix time in seconds. */
  createdAt: number;
  route: TurnRoute;
}

const itemOfPart = { text: 'message', refusal: 'message', reasoning: 'reasoning' } as const;

/**
 * One per turn; pure but for its own state, O(1) per event.
 * A new message or reasoning item begins when the kind of delta changes. Tool calls stay open until the
 * end, since some models send them interleaved.
 */
export class TurnExpander {
  readonly #head: TurnHead;
  #itemCount = 0;
  /** The message or reasoning item that deltas go to now. */
  #open: { item: number; part: PartKind } | undefined;
  /** Tool index -> item. */
  readonly #toolItems = new Map<number, number>();
  #usage: Usage = noUsage;
  #ended = false;

  constructor(head: TurnHead) {
    this.#head = head;
  }

  /** The expander of a turn that was cut off after these events; it goes on as if it had never stopped. */
  static restore(head: TurnHead, events: readonly TurnEvent[]): TurnExpander {
    const expander = new TurnExpander(head);
    for (const event of events) expander.#recall(event);
    return expander;
  }

  push(event: ChatEvent): TurnEvent[] {
    if (this.#ended) return [];
    switch (event.type) {
      case 'model-start': {
        const { turnId, createdAt, route } = this.#head;
        return [
          {
            type: 'turn-start',
            turnId,
            createdAt,
            route,
            model: event.model,
            ...(event.cache && { cache: event.cache }),
            ...(event.limits && { limits: event.limits }),
            ...(event.fallback && { fallback: event.fallback }),
          },
          { type: 'turn-progress' },
        ];
      }
      case 'text-delta':
        return this.#delta('text', (item) => ({ ...event, item }));
      case 'refusal-delta':
        return this.#delta('refusal', (item) => ({ ...event, item }));
      case 'reasoning-delta':
        return this.#delta('reasoning', (item) => ({ ...event, item }));
      case 'tool-call-delta':
        return this.#toolDelta(event);
      case 'extra-delta':
        return [event];
      case 'usage':
        this.#usage = event.usage;
        return [];
      case 'turn-end':
        return this.#finish(statusOf(event.finishReason), event.finishReason);
      case 'error':
        return this.fail(event.error);
    }
  }

  /** Ends the turn because somebody stopped it. What was said stays. */
  cancel(): TurnEvent[] {
    return this.#ended ? [] : this.#finish('cancelled', 'stop');
  }

  /** Ends the turn with an error. What was said stays; its items are left open. */
  fail(error: ErrorInfo): TurnEvent[] {
    if (this.#ended) return [];
    this.#ended = true;
    return [{ type: 'turn-end', status: 'failed', usage: this.#usage, error }];
  }

  #recall(event: TurnEvent): void {
    switch (event.type) {
      case 'item-start':
        this.#itemCount = event.item + 1;
        if (event.head.kind === 'tool-call') this.#toolItems.set(event.head.toolIndex, event.item);
        return;
      case 'part-start':
        this.#open = { item: event.item, part: event.part };
        return;
      case 'item-done':
        if (this.#open?.item === event.item) this.#open = undefined;
        return;
      case 'turn-end':
        this.#ended = true;
        return;
    }
  }

  #delta(part: PartKind, toEvent: (item: number) => TurnEvent): TurnEvent[] {
    const out: TurnEvent[] = [];
    if (this.#open?.part !== part) {
      out.push(...this.#close(true));
      const kind = itemOfPart[part];
      const item = this.#itemCount++;
      this.#open = { item, part };
      out.push({ type: 'item-start', item, head: { kind } }, { type: 'part-start', item, part });
    }
    out.push(toEvent((this.#open as { item: number }).item));
    return out;
  }

  #toolDelta(event: Extract<ChatEvent, { type: 'tool-call-delta' }>): TurnEvent[] {
    const out = this.#close(true);
    let item = this.#toolItems.get(event.index);
    if (item === undefined) {
      item = this.#itemCount++;
      this.#toolItems.set(event.index, item);
      const callId = event.id ?? `call_${this.#head.turnId}_${event.index}`;
      const head = { kind: 'tool-call', callId, name: event.name ?? '', toolIndex: event.index } as const;
      out.push({ type: 'item-start', item, head });
    }
    if (event.arguments !== '') out.push({ type: 'tool-call-delta', item, arguments: event.arguments });
    return out;
  }

  #close(complete: boolean): TurnEvent[] {
    if (!this.#open) return [];
    const { item, part } = this.#open;
    this.#open = undefined;
    return [
      { type: 'text-done', item, part },
      { type: 'part-done', item, part },
      { type: 'item-done', item, complete },
    ];
  }

  #finish(status: 'completed' | 'incomplete' | 'cancelled', finishReason: FinishReason): TurnEvent[] {
    this.#ended = true;
    const complete = status === 'completed';
    const out: TurnEvent[] = [];
    if (this.#itemCount === 0) {
      const item = this.#itemCount++;
      this.#open = { item, part: 'text' };
      out.push(
        { type: 'item-start', item, head: { kind: 'message' } },
        { type: 'part-start', item, part: 'text' },
      );
    }
    out.push(...this.#close(complete));
    for (const item of this.#toolItems.values()) {
      out.push({ type: 'tool-call-done', item }, { type: 'item-done', item, complete });
    }
    const last = out.findLast((event) => event.type === 'item-done');
    if (last) last.finishReason = finishReason;
    out.push({ type: 'turn-end', status, finishReason, usage: this.#usage });
    return out;
  }
}

function statusOf(finishReason: FinishReason): 'completed' | 'incomplete' {
  return finishReason === 'length' || finishReason === 'content_filter' ? 'incomplete' : 'completed';
}
