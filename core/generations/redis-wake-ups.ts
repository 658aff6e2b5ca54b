/**
 * Word from other instances, over one connection for all who wait. Owns that connection and its subscriptions. Word may
 * be lost while the connection is down, so everybody is woken when it is back, and waits no longer than they say.
 */
import type { Redis } from 'ioredis';
import { startDeadline } from '../../shared/stream/deadline.ts';
import { createNotifier } from '../../shared/stream/notifier.ts';
import { withinReach } from './redis-generation-scripts.ts';

export interface Listener {
  /** Returns at once when there was word since the last time, else on word, after `ms`, or on abort. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  close(): void;
}

export interface WakeUps {
  /** @throws AppError `core_unavailable` */
  listen(channel: string): Promise<Listener>;
  /** Hands over each message of a channel. @throws AppError `core_unavailable` */
  receive(channel: string, onMessage: (message: string) => void): Promise<void>;
  close(): void;
}

interface Channel {
  subscribed: Promise<unknown>;
  receivers: Set<(message: string | undefined) => void>;
}

/** @param redis An ordinary client; the connection is a copy of it */
// long: the methods of one connection share its channels
export function createWakeUps(redis: Redis): WakeUps {
  const channels = new Map<string, Channel>();
  let connection: Redis | undefined;

  function connect(): Redis {
    if (connection) return connection;
    const made = redis.duplicate({ maxRetriesPerRequest: null });
    // A connection that breaks is made again; the waiting look for themselves meanwhile.
    made.on('error', () => undefined);
    made.on('ready', () => wake());
    made.on('message', (channel: string, message: string) => wake(channel, message));
    connection = made;
    return made;
  }

  function wake(channel?: string, message?: string): void {
    const reached =
      channel === undefined ? [...channels.values()] : [channels.get(channel)].filter((one) => !!one);
    for (const { receivers } of reached) for (const receive of [...receivers]) receive(message);
  }

  async function join(name: string, receive: (message: string | undefined) => void): Promise<() => void> {
    let channel = channels.get(name);
    if (!channel) {
      channel = { subscribed: connect().subscribe(name), receivers: new Set() };
      // Told to each who waits for it, below.
      channel.subscribed.catch(() => undefined);
      channels.set(name, channel);
    }
    const joined = channel;
    joined.receivers.add(receive);
    const leave = () => {
      if (!joined.receivers.delete(receive) || joined.receivers.size > 0) return;
      if (channels.get(name) === joined) channels.delete(name);
      connection?.unsubscribe(name).catch(() => undefined);
    };
    try {
      await withinReach(joined.subscribed);
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  return {
    async listen(name) {
      const news = createNotifier();
      let isNews = false;
      const leave = await join(name, () => {
        isNews = true;
        news.notify();
      });
      return {
        async wait(ms, signal) {
          const { signal: isOver, clear } = startDeadline(ms, signal);
          await news.until(() => isNews, isOver);
          clear();
          isNews = false;
        },
        close: leave,
      };
    },

    async receive(name, onMessage) {
      await join(name, (message) => {
        if (message !== undefined) onMessage(message);
      });
    },

    close() {
      connection?.disconnect();
      channels.clear();
    },
  };
}
