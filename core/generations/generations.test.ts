import { describe, expect, test } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ChatModel } from '../../shared/model/chat-model.ts';
import type { GenerationRequest } from '../../shared/protocol/generation-protocol.ts';
import { useFakeTimers } from '../../shared/testing/fake-timers.ts';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import type { GenerationEnd } from '../observe/generation-end.ts';
import { createGenerations } from './generations.ts';
import { createMemoryGenerationLog } from './memory-generation-log.ts';

const context = (more: object = {}) => ({
  requestId: 'r',
  tenant: 't',
  user: 'u',
  plan: 'free',
  scopes: [],
  deadlineMs: Date.now() + 60_000,
  ...more,
});
const request = (id: string, detached: boolean): GenerationRequest => ({
  id,
  model: 'm',
  messages: [],
  params: {},
  detached,
});
const never = new Promise(() => undefined);
const reader = () => new AbortController().signal;

function generationsOf(model: ChatModel, maxMs = 60_000) {
  const ends: GenerationEnd[] = [];
  const generations = createGenerations({
    log: createMemoryGenerationLog(),
    resolveModel: (_, { model: name }) => {
      if (name !== 'm') throw new AppError('model_not_found');
      return model;
    },
    maxRunning: 1000,
    maxMs,
    now: () => Date.now(),
    onEnd: (end) => ends.push(end),
  });
  return { generations, ends };
}

describe('a generation', () => {
  test('that is not detached ends with its reader', async () => {
    const model = scriptedModel('m', [modelStart, textDelta('a'), never]);
    const { generations, ends } = generationsOf(model);
    const leave = new AbortController();
    const stream = await generations.start(context(), request('1', false), leave.signal);
    const events = stream.getReader();
    await events.read();
    leave.abort();
    await expect.poll(() => ends.at(-1)?.error).toBe('cancelled');
    expect(model.aborted).toBe(1);
  });

  test('that is detached goes on without readers, and is there for the next one', async () => {
    const gate = Promise.withResolvers<void>();
    const model = scriptedModel('m', [modelStart, textDelta('a'), gate.promise, textDelta('b'), turnEnd]);
    const { generations } = generationsOf(model);
    const leave = new AbortController();
    await (await generations.start(context(), request('1', true), leave.signal)).getReader().read();
    leave.abort();
    gate.resolve();
    const rest = await readAll(await generations.attach(context(), '1', 0, reader()));
    expect(rest.map(({ event }) => event)).toEqual([textDelta('a'), textDelta('b'), turnEnd]);
    expect(model.aborted).toBe(0);
  });

  test('is started once, however often it is asked for', async () => {
    const model = scriptedModel('m', [modelStart, 20, textDelta('a'), turnEnd]);
    const { generations } = generationsOf(model);
    const asked = await Promise.all(
      [1, 2, 3].map(() => generations.start(context(), request('1', true), reader())),
    );
    const all = await Promise.all(asked.map((stream) => readAll(stream)));
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
    expect(model.requests).toHaveLength(1);
  });

  test('belongs to its tenant and user', async () => {
    const { generations } = generationsOf(scriptedModel('m', [modelStart, never]));
    await generations.start(context(), request('1', true), reader());
    for (const other of [{ tenant: 'x' }, { user: 'x' }]) {
      await expect(generations.attach(context(other), '1', -1, reader())).rejects.toMatchObject({
        code: 'generation_not_found',
      });
      expect(await generations.cancel(context(other), '1')).toEqual({ status: 'unknown' });
    }
    expect(await generations.cancel(context(), '1')).toEqual({ status: 'cancelled' });
  });

  test('reports truthfully whether a cancel came first, however often it is asked', async () => {
    const { generations } = generationsOf(scriptedModel('m', [modelStart, textDelta('a'), turnEnd]));
    await readAll(await generations.start(context(), request('1', true), reader()));
    expect(await generations.cancel(context(), '1')).toEqual({ status: 'finished' });
    expect(await generations.cancel(context(), 'never')).toEqual({ status: 'unknown' });
  });

  test('of an unknown model is refused', async () => {
    const { generations } = generationsOf(scriptedModel('m', []));
    const asked = generations.start(context(), { ...request('1', true), model: 'x' }, reader());
    await expect(asked).rejects.toMatchObject({ code: 'model_not_found' });
  });
});

describe('in virtual time, a generation', () => {
  const timers = useFakeTimers();
  test('ends at its deadline, and at the longest time there is', async () => {
    for (const [deadlineMs, maxMs] of [
      [Date.now() + 50, 60_000],
      [Date.now() + 60_000, 50],
    ] as const) {
      const { generations } = generationsOf(scriptedModel('m', [modelStart, never]), maxMs);
      const stream = await generations.start(context({ deadlineMs }), request('1', true), reader());
      const events = await timers.run(readAll(stream));
      expect(events.at(-1)?.event).toMatchObject({ type: 'error', error: { code: 'deadline_exceeded' } });
    }
  });
});

describe('drain', () => {
  const timers = useFakeTimers();

  test('lets running ones end, and refuses new ones', async () => {
    const { generations, ends } = generationsOf(
      scriptedModel('m', [modelStart, 50, textDelta('a'), turnEnd]),
    );
    const stream = await generations.start(context(), request('1', true), reader());
    const drained = generations.drain(5000);
    await expect(generations.start(context(), request('2', true), reader())).rejects.toMatchObject({
      code: 'shutting_down',
    });
    await timers.run(drained);
    expect(ends.at(-1)?.error).toBeUndefined();
    expect((await readAll(stream)).at(-1)?.event).toEqual(turnEnd);
  });

  test('ends what takes longer than the grace', async () => {
    const { generations } = generationsOf(scriptedModel('m', [modelStart, never]));
    const stream = await generations.start(context(), request('1', true), reader());
    await timers.run(generations.drain(20));
    expect((await readAll(stream)).at(-1)?.event).toMatchObject({
      type: 'error',
      error: { code: 'shutting_down' },
    });
  });
});
