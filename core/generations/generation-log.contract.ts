/** What every {@link GenerationLog} must do; run over each implementation. */
import { describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import type { NumberedChatEvent } from '../../shared/protocol/generation-protocol.ts';
import { modelStart, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import type { GenerationLog } from './generation-log.ts';

const events: ChatEvent[] = [modelStart, textDelta('a'), textDelta('b'), textDelta('c'), turnEnd];
const numbered = events.map((event, seq) => ({ seq, event }));
const reader = () => new AbortController().signal;
const nobody = () => undefined;
const cancelled: ChatEvent = { type: 'error', error: new AppError('cancelled').toInfo() };

export function describeGenerationLog(name: string, makeLog: () => Promise<GenerationLog>): void {
  describe(name, () => {
    async function filled(key: string): Promise<GenerationLog> {
      const log = await makeLog();
      await log.open(key, nobody);
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
      expect(await log.open('k1', nobody)).toBe(true);
      expect(await log.open('k1', nobody)).toBe(false);
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
      expect(await log.state('k3')).toBe('finished');
    });

    test('gives every reader the beginning and then the live rest', async () => {
      const log = await makeLog();
      await log.open('k4', nobody);
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
      await log.open('k6', nobody);
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

    test('keeps the order of events that come faster than they can be written', async () => {
      const log = await makeLog();
      await log.open('k7', nobody);
      const many = Array.from({ length: 2000 }, (_, index) => textDelta(`${index} `));
      const readers = [read(log, 'k7', -1), read(log, 'k7', 999)];
      const appended = [modelStart, ...many, turnEnd].map((event) => log.append('k7', event));
      await Promise.all(appended);
      const [all, second] = await Promise.all(readers);
      expect(all?.map(({ seq }) => seq)).toEqual(Array.from({ length: 2002 }, (_, index) => index));
      expect(all?.slice(1, -1).map(({ event }) => event)).toEqual(many);
      expect(second).toEqual(all?.slice(1000));
    });

    test('gives an event back as it was, whatever is in it', async () => {
      const log = await makeLog();
      await log.open('k8', nobody);
      const long = '\u{1F600}x'.repeat(300_000);
      const odd: ChatEvent[] = [
        textDelta('line\r\nline\u2028\0"\\'),
        textDelta('\ud800'),
        textDelta(''),
        textDelta(long),
        { type: 'tool-call-delta', index: 0, id: 'a', name: 'f', arguments: `y${long}` },
        turnEnd,
      ];
      for (const event of odd) await log.append('k8', event);
      expect((await read(log, 'k8', -1))?.map(({ event }) => event)).toEqual(odd);
      expect((await read(log, 'k8', 3))?.map(({ seq }) => seq)).toEqual([4, 5]);
    });

    test('has the owner end what is cancelled, and says how it ended', async () => {
      const log = await makeLog();
      const stop = vi.fn(() => void log.append('k9', cancelled));
      await log.open('k9', stop);
      await log.append('k9', modelStart);
      expect(await log.cancel('k9')).toBe('cancelled');
      expect(stop).toHaveBeenCalledWith();
      expect(await log.state('k9')).toBe('cancelled');
      expect(await log.cancel('k9')).toBe('cancelled');
      expect((await read(log, 'k9', -1))?.at(-1)?.event).toEqual(cancelled);
    });

    test('reports a cancel that came too late, or found nothing', async () => {
      const log = await makeLog();
      await log.open('k10', () => void log.append('k10', turnEnd));
      expect(await log.cancel('k10')).toBe('finished');
      expect(await log.cancel('k10')).toBe('finished');
      expect(await log.cancel('never')).toBe('unknown');
    });

    test('forgets all whose keys begin alike, and ends those that run', async () => {
      const log = await makeLog();
      const keys = ['["t","u","1"]', '["t","u","2"]', '["t","u2","1"]', '["t","*","1"]'];
      for (const key of keys) await log.open(key, () => void log.append(key, cancelled));
      await log.append(keys[0] as string, turnEnd);
      expect(await log.removeAll('["t","u",')).toBe(2);
      expect(await Promise.all(keys.map((key) => log.state(key)))).toEqual([
        'unknown',
        'unknown',
        'running',
        'running',
      ]);
      expect(await log.removeAll('["t","*",')).toBe(1);
      expect(await log.state('["t","u2","1"]')).toBe('running');
      expect(await log.removeAll('["nobody",')).toBe(0);
    });
  });
}
