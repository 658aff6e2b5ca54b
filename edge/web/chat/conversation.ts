/**
 * One conversation as this tab sees it: what is stored, what is being answered on any device, and what is on its way
 * out. Owns the socket of its session and its outbox; the messages are the server's.
 */
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { createEdgewiseClient, type EdgewiseClient } from '../../../shared/client/edgewise-client.ts';
import { EdgewiseError } from '../../../shared/client/edgewise-error.ts';
import type { SessionConnection, SessionEvent } from '../../../shared/client/session-connection.ts';
import type { Api } from './api.ts';
import { type ConversationNode, type PendingTurn, toNodes } from './conversation-nodes.ts';
import { createDelivery } from './delivery.ts';
import { createLiveTurn, foldEvent, type LiveTurn } from './live-turn.ts';
import { type PathStep, type StoredMessage, visiblePath } from './message-tree.ts';
import type { Network } from './network.ts';
import { nextOrder } from './order.ts';
import type { Outgoing } from './outbox.ts';
import { findStoredTurn } from './stored-turn.ts';
import { createTextGatherer } from './text-gatherer.ts';

export interface Ask {
  text: string;
  images?: string[];
  parentId?: string | null;
  again?: string;
  model: string;
  knowledge: boolean;
}

export interface Conversation {
  readonly id: string;
  readonly path: ReadonlySignal<PathStep<ConversationNode>[]>;
  /** Whether an answer is being given or awaited. */
  readonly busy: ReadonlySignal<boolean>;
  readonly connection: Signal<'none' | 'connecting' | 'open'>;
  /** Whether there are older messages to read. */
  readonly hasOlder: Signal<boolean>;
  readonly loading: Signal<boolean>;
  /** Reads what is stored, and listens. */
  open(): Promise<void>;
  readOlder(): Promise<void>;
  ask(ask: Ask): void;
  retry(turn: PendingTurn): void;
  /** Takes a question back that has not gone out. */
  withdraw(turn: PendingTurn): void;
  stop(): Promise<void>;
  choose(parentId: string | null, childId: string): void;
  /** Stops listening. What is on its way out is still delivered. */
  close(): void;
  /** Delivers nothing more. */
  abandon(): void;
}

export interface ConversationOptions {
  id: string;
  api: Api;
  token: () => Promise<string>;
  network: Network;
  baseUrl: string;
  /** Told when a turn of this conversation has begun or ended, for the list. */
  onTurn: () => void;
}

const PAGE = 60;
const RECENT = 20;
/** How long a turn that the server has taken may be silent before it is asked about. */
const SETTLE_MS = 1000;

// long: the methods of one owner share the conversation; each is short
export function createConversation(options: ConversationOptions): Conversation {
  const { id, api, network, onTurn } = options;
  const stored = signal<readonly StoredMessage[]>([]);
  const live = signal<readonly LiveTurn[]>([]);
  const pending = signal<readonly PendingTurn[]>([]);
  const chosen = signal<ReadonlyMap<string, string>>(new Map());
  const connection = signal<'none' | 'connecting' | 'open'>('none');
  const hasOlder = signal(false);
  const loading = signal(false);
  const gatherer = createTextGatherer();
  let socket: SessionConnection | undefined;
  let closed = false;
  /** Whether the server knows the conversation: what has not begun cannot be read. */
  let exists = false;

  const { listener, sender } = createClients(options);
  const parts = () => ({ stored: stored.value, live: live.value, pending: pending.value });
  const path = computed(() =>
    visiblePath(toNodes(parts()), chosen.value).filter(
      ({ node }) => node.role === 'user' || node.role === 'assistant',
    ),
  );
  const busy = computed(
    () =>
      live.value.some(({ state }) => state.value === 'running') ||
      pending.value.some(
        ({ state, key, turnId }) =>
          state.value !== 'failed' && !live.value.some((turn) => turn.key === key || turn.turnId === turnId),
      ),
  );

  function merge(messages: readonly StoredMessage[], hasMore: boolean): void {
    if (messages.length === 0) return;
    const first = messages[0]?.position ?? 0;
    const known = stored.value;
    const newestKnown = known.at(-1)?.position ?? 0;
    const oldestKnown = known[0]?.position ?? Number.POSITIVE_INFINITY;
    // Too much came in between: what is known is no longer next to it, and is read again when it is wanted.
    const keeps = known.length > 0 && first <= newestKnown + 1;
    const byPosition = new Map((keeps ? known : []).map((message) => [message.position, message]));
    for (const message of messages) byPosition.set(message.position, message);
    batch(() => {
      stored.value = [...byPosition.values()].sort((a, b) => a.position - b.position);
      if (!keeps || first < oldestKnown) hasOlder.value = hasMore;
      // The reply of the server may come after the question's stored form, or be lost on its way.
      for (const entry of pending.value) entry.turnId ??= findStoredTurn(entry, parts());
      const turns = new Set(stored.value.map((message) => message.turn_id));
      // A question that is stored, and whose answer has begun, is no longer on its way.
      const left = pending.value.filter(
        ({ turnId, again }) =>
          turnId === undefined ||
          !(again !== undefined || turns.has(turnId)) ||
          !live.value.some((turn) => turn.turnId === turnId),
      );
      if (left.length !== pending.value.length) pending.value = left;
    });
  }

  async function refresh(): Promise<void> {
    const page = await api.history(id, RECENT);
    if (!closed) merge(page.messages, page.has_more);
  }
  /** What could not be read now is read with the next turn, or when the network is back. */
  const refreshQuietly = () => {
    if (exists) void refresh().catch(() => undefined);
  };

  function turnOf(responseId: string): LiveTurn {
    const known = live.value.find((turn) => turn.responseId === responseId);
    if (known) return known;
    const mine = pending.value.find((turn) => turn.responseId === responseId);
    const turn = createLiveTurn(responseId, mine?.askedAtMs ?? Date.now(), mine?.order ?? nextOrder());
    turn.key = mine?.key;
    live.value = [...live.value, turn];
    return turn;
  }

  function receive(event: SessionEvent): void {
    if (event.response_id === undefined) return;
    exists = true;
    const isDelta = event.type.endsWith('.delta');
    if (!isDelta) gatherer.flush();
    batch(() => {
      const isNew = !live.value.some((turn) => turn.responseId === event.response_id);
      const turn = turnOf(event.response_id);
      if (turn.state.value !== 'running') return;
      foldEvent(turn, event, gatherer.append, Date.now());
      if (isNew || event.type === 'response.created') recognise(turn);
      if (turn.state.value === 'running') return;
      if (turn.state.value === 'failed' || turn.state.value === 'cancelled') {
        // It may never be stored: what is stored from now on is newer.
        turn.order = (stored.value.at(-1)?.position ?? 0) + 0.25;
        live.value = [...live.value];
      }
      onTurn();
      refreshQuietly();
      // The answer is stored right after its last word.
      setTimeout(refreshQuietly, 400);
    });
  }

  /** Ties a turn to its question: ours by the key that it brings back, another device's by reading it. */
  function recognise(turn: LiveTurn): void {
    const mine = pending.value.find(({ key }) => key === turn.key);
    if (!mine) {
      refreshQuietly();
      return;
    }
    mine.responseId = turn.responseId;
    mine.turnId = turn.turnId;
    turn.askedAtMs = mine.askedAtMs;
    turn.order = mine.order;
    const details = turn.details.value;
    if (details.firstWordMs !== undefined)
      turn.details.value = { ...details, firstWordMs: Date.now() - mine.askedAtMs };
    live.value = [...live.value];
  }

  async function listen(): Promise<void> {
    if (socket || closed) return;
    socket = listener.connect(id, {
      onStatus(status) {
        if (closed) return;
        connection.value = status;
        if (status === 'open') void settle().catch(() => undefined);
      },
    });
    try {
      for await (const event of socket) receive(event);
    } catch {
      // Only when the session is gone for good; the list says so.
    }
    connection.value = 'none';
    socket = undefined;
  }

  /** What ended while nobody listened: its answer is stored, or its response says how it ended. */
  async function settle(): Promise<void> {
    if (exists) await refresh();
    for (const entry of pending.value) {
      const { responseId, turnId, state } = entry;
      if (responseId === undefined || state.value !== 'sent') continue;
      if (live.value.some((turn) => turn.turnId === turnId)) continue;
      try {
        const response = await api.json<{ status: string }>(
          `/v1/responses/${encodeURIComponent(responseId)}`,
        );
        if (response.status !== 'in_progress' && response.status !== 'queued')
          receive({ type: 'response.completed', response_id: responseId, sequence_number: 0, response });
      } catch (error) {
        // Too old to be told of; the history has what there is.
        if (!(error instanceof EdgewiseError && error.status === 404)) throw error;
        delivery.drop(entry);
      }
    }
  }

  /** A turn may have ended before the socket was there, and is then heard of in no other way. */
  function settleSoon(): void {
    setTimeout(() => {
      const isUnheard = ({ state, turnId }: PendingTurn) =>
        state.value === 'sent' && !live.value.some((turn) => turn.turnId === turnId);
      if (closed || !pending.value.some(isUnheard)) return;
      void settle().then(settleSoon, settleSoon);
    }, SETTLE_MS);
  }

  const delivery = createDelivery({
    sessionId: id,
    client: sender,
    network,
    pending,
    onStart: () => void listen(),
    onSent() {
      onTurn();
      settleSoon();
    },
  });

  const forget = network.onWake(() => socket?.check());

  return {
    id,
    path,
    busy,
    connection,
    hasOlder,
    loading,
    async open() {
      loading.value = true;
      exists = true;
      delivery.takeUp();
      void listen();
      try {
        const page = await api.history(id, PAGE);
        if (!closed) merge(page.messages, page.has_more);
      } finally {
        loading.value = false;
      }
    },
    async readOlder() {
      const first = stored.value[0]?.position;
      if (loading.value || !hasOlder.value || first === undefined) return;
      loading.value = true;
      try {
        const page = await api.history(id, PAGE, first);
        const known = new Set(stored.value.map(({ position }) => position));
        const older = page.messages.filter(({ position }) => !known.has(position));
        batch(() => {
          stored.value = [...older, ...stored.value].sort((a, b) => a.position - b.position);
          hasOlder.value = page.has_more;
        });
      } finally {
        loading.value = false;
      }
    },
    ask({ text, images = [], parentId, again, model, knowledge }) {
      const entry: Outgoing = {
        key: crypto.randomUUID(),
        text,
        images,
        model,
        knowledge,
        askedAtMs: Date.now(),
        ...(parentId !== undefined && { parentId }),
        ...(again !== undefined && { again }),
      };
      // A new branch is what its maker wants to see.
      chosen.value = new Map();
      delivery.send(entry);
    },
    retry: delivery.retry,
    withdraw: delivery.drop,
    async stop() {
      const waiting = pending.value.filter(
        ({ state }) => state.value === 'sending' || state.value === 'waiting',
      );
      for (const turn of waiting) if (turn.responseId === undefined) delivery.drop(turn);
      const sent = pending.value.some(({ state }) => state.value === 'sent');
      if (sent || live.value.some(({ state }) => state.value === 'running')) await listener.stop(id);
    },
    choose(parentId, childId) {
      chosen.value = new Map(chosen.value).set(parentId ?? '', childId);
    },
    abandon: delivery.stop,
    close() {
      closed = true;
      forget();
      socket?.close();
      gatherer.stop();
    },
  };
}

/** One that listens for as long as it takes, and one that says at once that the network is away. */
function createClients({ baseUrl, token, network }: ConversationOptions): {
  listener: EdgewiseClient;
  sender: EdgewiseClient;
} {
  const common = { baseUrl, token, wait: network.wait };
  const patient = { attempts: Number.POSITIVE_INFINITY, firstMs: 300, longestMs: 8000 };
  return {
    listener: createEdgewiseClient({ ...common, retry: patient }),
    sender: createEdgewiseClient({ ...common, retry: { attempts: 0, firstMs: 0, longestMs: 0 } }),
  };
}
