/**
 * Brings questions to the server, each once, however long the network is away. Owns the outbox of a conversation and
 * what is on its way; the answers come over the session's socket.
 */
import { type Signal, signal } from '@preact/signals';
import type { EdgewiseClient } from '../../../shared/client/edgewise-client.ts';
import { EdgewiseError } from '../../../shared/client/edgewise-error.ts';
import type { PendingTurn } from './conversation-nodes.ts';
import { turnIdOf } from './live-turn.ts';
import type { Network } from './network.ts';
import { nextOrder } from './order.ts';
import { createOutbox, type Outgoing } from './outbox.ts';

export interface DeliveryOptions {
  sessionId: string;
  /** One that says at once when the network is away. */
  client: EdgewiseClient;
  network: Network;
  pending: Signal<readonly PendingTurn[]>;
  onStart: () => void;
  /** Told when the server has taken one. */
  onSent: () => void;
}

export interface Delivery {
  send(entry: Outgoing): void;
  /** Goes on with what a reload has cut off. */
  takeUp(): void;
  retry(turn: PendingTurn): void;
  drop(turn: PendingTurn): void;
  stop(): void;
}

const AGAIN_MS = 3000;

export function createDelivery(options: DeliveryOptions): Delivery {
  const { sessionId, client, network, pending, onStart, onSent } = options;
  const outbox = createOutbox(sessionId);
  const sending = new Map<string, AbortController>();

  function enqueue(entry: Outgoing): void {
    const turn: PendingTurn = {
      ...entry,
      state: signal('sending'),
      error: signal(undefined),
      responseId: undefined,
      turnId: undefined,
      order: nextOrder(),
    };
    pending.value = [...pending.value, turn];
    void deliver(turn);
  }

  async function deliver(turn: PendingTurn): Promise<void> {
    const abort = new AbortController();
    sending.set(turn.key, abort);
    turn.error.value = undefined;
    onStart();
    while (!abort.signal.aborted) {
      turn.state.value = network.online.value ? 'sending' : 'waiting';
      await network.untilOnline();
      if (abort.signal.aborted) break;
      const outcome = await attempt(turn, abort.signal);
      if (outcome === 'over') break;
      turn.state.value = 'waiting';
      await network.wait(AGAIN_MS);
    }
    sending.delete(turn.key);
  }

  async function attempt(turn: PendingTurn, cancelled: AbortSignal): Promise<'over' | 'away'> {
    try {
      turn.responseId = await client.send({ ...toTurn(sessionId, turn), signal: cancelled });
    } catch (error) {
      if (cancelled.aborted) return 'over';
      if (!(error instanceof EdgewiseError) || error.status === 0) return 'away';
      turn.error.value = { code: error.code, message: error.message };
      turn.state.value = 'failed';
      return 'over';
    }
    turn.turnId = turnIdOf(turn.responseId);
    turn.state.value = 'sent';
    outbox.remove(turn.key);
    // Its turn is known now, which changes its place.
    pending.value = [...pending.value];
    onSent();
    return 'over';
  }

  return {
    send(entry) {
      outbox.add(entry);
      enqueue(entry);
    },
    takeUp() {
      for (const entry of outbox.entries) enqueue(entry);
    },
    retry: (turn) => void deliver(turn),
    drop(turn) {
      sending.get(turn.key)?.abort();
      outbox.remove(turn.key);
      pending.value = pending.value.filter(({ key }) => key !== turn.key);
    },
    stop() {
      for (const abort of sending.values()) abort.abort();
    },
  };
}

function toTurn(sessionId: string, turn: PendingTurn): Parameters<EdgewiseClient['send']>[0] {
  const { key, text, images, parentId, again, model, knowledge } = turn;
  const metadata = { edgewise_key: key, ...(again !== undefined && { edgewise_again: again }) };
  const parts = [
    ...(text === '' ? [] : [{ type: 'input_text', text }]),
    ...images.map((url) => ({ type: 'input_image', image_url: url })),
  ];
  return {
    sessionId,
    idempotencyKey: key,
    model,
    messages: again === undefined ? [{ role: 'user', content: images.length > 0 ? parts : text }] : [],
    params: { metadata, ...(knowledge && { knowledge: true }) },
    ...(parentId !== undefined && { parentId }),
    ...(again !== undefined && { regenerate: again }),
  };
}
