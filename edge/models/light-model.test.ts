import { describe, expect, test } from 'vitest';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import { withFallback } from '../../shared/model/with-fallback.ts';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { bytesOf, readAll, streamOf } from '../../shared/testing/streams.ts';
import { createLightModel } from './light-model.ts';

const core = [modelStart, textDelta('From the core.'), turnEnd];

/** An easy prompt, with the core below the light model. */
function ask(answer: () => Response, isWhole: boolean): Promise<ChatEvent[]> {
  const light = createLightModel({
    baseUrl: 'http://light.test/v1',
    apiKey: undefined,
    model: 'tiny',
    fetch: async () => answer(),
    defer: () => undefined,
  });
  const ladder = withFallback('auto', [
    { model: light, canServe: () => true },
    { model: scriptedModel('core', core), canServe: () => true },
  ]);
  const request = {
    model: 'auto',
    messages: [{ role: 'user' as const, content: 'hi' }],
    params: {},
    isWhole,
  };
  return readAll(ladder.stream(request, new AbortController().signal));
}

describe.each([
  ['stream', false],
  ['whole answer', true],
])('a light model that fails, asked for a %s', (_name, isWhole) => {
  test.each([
    [401, {}, 'upstream_auth_failed'],
    [404, {}, 'upstream_model_missing'],
    [408, {}, 'upstream_unavailable'],
    [413, {}, 'context_length_exceeded'],
    [400, { code: 'context_length_exceeded', message: 'too long' }, 'context_length_exceeded'],
    [400, { message: "This model's maximum context length is 512 tokens." }, 'context_length_exceeded'],
    [429, {}, 'upstream_rate_limited'],
    [500, {}, 'upstream_error'],
  ])('with %i %j leaves the prompt to the core', async (status, error, reason) => {
    const events = await ask(() => Response.json({ error }, { status }), isWhole);
    expect(events).toEqual([{ ...modelStart, fallback: { from: 'tiny', reason } }, ...core.slice(1)]);
  });

  test('because the request is wrong, says so', async () => {
    const events = await ask(
      () => Response.json({ error: { message: 'bad field' } }, { status: 400 }),
      isWhole,
    );
    expect(events).toMatchObject([{ type: 'error', error: { code: 'upstream_rejected' } }]);
  });
});

test('a stream that breaks is distinguished from a model that cannot be reached', async () => {
  const light = createLightModel({
    baseUrl: 'http://light.test/v1',
    apiKey: undefined,
    model: 'tiny',
    fetch: async () =>
      new Response(
        streamOf([bytesOf('data: {"choices":[{"delta":{"content":"a"}}]}\n\n')]).pipeThrough(
          new TransformStream({
            flush() {
              throw new TypeError('terminated');
            },
          }),
        ),
      ),
    defer: () => undefined,
  });
  const request = { model: 'auto', messages: [], params: {} };
  const events = await readAll(light.stream(request, new AbortController().signal));
  expect(events.at(-1)).toMatchObject({ type: 'error', error: { code: 'upstream_cut' } });
});
