/** What every {@link GenerationLog} must do; run over each implementation. */
import { describe, expect, test } from 'vitest';
import type { ChatEvent } from '../../shared/chat-model.ts';
import type { NumberedChatEvent } from '../../shared/generation-protocol.ts';
import { modelStart, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import type { GenerationLog } from './generation-log.ts';

const events: ChatEvent[] = [modelStart, textDelta('a'), textDelta('b'), textDelta('c'), turnEnd];
const numbered = events.map((event, seq) => ({ seq, event }));
const reader = () => new AbortController().signal;

export function describeGenerationLog(name: string, makeLog: () => Promise<GenerationLog>): void {
  describe(name, () => {
    async function filled(key: string): Promise<GenerationLog> {
      const log = await makeLog();
      await log.open(key);
      for (const event of events) await log.append(key, event);
      return log;
    }

    async function read(
      log: GenerationLog,
      key: string,
      after: number,
    ): Promise<NumberedChatEvent[] | undefined> {
      const stream = await log.read(key, after, reader());
      return stream && readAll(stream);
    }

    test('opens a generation once', async () => {
      const log = await makeLog();
      expect(await log.open('k1')).toBe(true);
      expect(await log.open('k1')).toBe(false);
      expect(await log.state('k1')).toBe('running');
    });

    test('knows nothing of others', async () => {
      const log = await filled('k2');
      expect(await read(log, 'other', -1)).toBeUndefined();
      expect(await log.state('other')).toBe('unknown');
    });

    test('replays what comes after any event', async () => {
      const log = await filled('k3');
      for (let after = -1; after < events.length; after++) {
        expect(await read(log, 'k3', after)).toEqual(numbered.slice(after + 1));
      }
      expect(await log.state('k3')).toBe('complete');
    });

    test('gives every reader the beginning and then the live rest', async () => {
      const log = await makeLog();
      await log.open('k4');
      const early = read(log, 'k4', -1);
      await log.append('k4', modelStart);
      await log.append('k4', textDelta('a'));
      const late = read(log, 'k4', 0);
      for (const event of events.slice(2)) await log.append('k4', event);
      expect(await early).toEqual(numbered);
      expect(await late).toEqual(numbered.slice(1));
    });

    test('takes nothing after the terminal event', async () => {
      const log = await filled('k5');
      await log.append('k5', textDelta('too late'));
      expect(await read(log, 'k5', -1)).toEqual(numbered);
    });

    test('lets a waiting reader go when it is aborted or cancelled', async () => {
      const log = await makeLog();
      await log.open('k6');
      const leave = new AbortController();
      const waiting = log
        .read('k6', -1, leave.signal)
        .then((stream) => readAll(stream as ReadableStream<NumberedChatEvent>));
      leave.abort();
      expect(await waiting).toEqual([]);
      const stream = await log.read('k6', -1, reader());
      const pending = stream?.getReader();
      const next = pending?.read();
      await pending?.cancel();
      expect((await next)?.done).toBe(true);
    });
  });
}
