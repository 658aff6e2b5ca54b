import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError, type ErrorCode, toOpenAIError } from '../../shared/errors.ts';
import { createCoreRegions, type RegionCall } from './core-regions.ts';

type Answers = Record<string, (path: string, signal: AbortSignal | null) => Promise<Response> | Response>;

const refused = () => Promise.reject(new TypeError('connection refused'));
const words = (text: string) => () => new Response(text);
const error = (code: ErrorCode) => () => {
  const { status } = new AppError(code);
  const { error: body } = toOpenAIError(new AppError(code).toInfo());
  return Response.json({ error: { ...body, retryable: true } }, { status });
};
const call: RegionCall = {
  method: 'POST',
  headers: {},
  body: '{}',
  signal: undefined,
  isRepeatable: true,
  isPrompt: true,
};

/** Regions `a`, `b` ... behind a clock of the test's own; what is deferred is done when the test says. */
function setUp(answers: Answers) {
  let clockMs = 0;
  const asked: string[] = [];
  const deferred: Promise<unknown>[] = [];
  const calls: string[] = [];
  const urls = Object.keys(answers).map((name) => `http://${name}`);
  const regions = createCoreRegions({
    urls,
    fetch: async (input, init) => {
      const { hostname, pathname } = new URL(String(input));
      asked.push(`${hostname}${pathname}`);
      return (answers[hostname] as Answers[string])(pathname, init?.signal ?? null);
    },
    now: () => clockMs,
    defer: (work) => void deferred.push(work),
    onCall: (region, outcome) => void calls.push(`${region} ${outcome}`),
  });
  return {
    answers,
    calls,
    pass: (ms: number) => {
      clockMs += ms;
    },
    settle: () => Promise.all(deferred.splice(0)),
    async ask(more: Partial<RegionCall> = {}) {
      asked.length = 0;
      const answer = await regions.ask('/v1/x', { ...call, ...more });
      return answer.text();
    },
    /** Without the probes. */
    get asked() {
      return asked.filter((place) => !place.endsWith('/healthz'));
    },
    regions,
    probes: () => asked.filter((place) => place.endsWith('/healthz')),
  };
}

/** A region's answers to probes and to calls. */
const region = (answer: Answers[string], health: Answers[string] = () => Response.json({ status: 'ok' })) =>
  ((path, signal) => (path === '/healthz' ? health(path, signal) : answer(path, signal))) as Answers[string];

describe('one region', () => {
  test('is asked as it is, and never probed', async () => {
    const at = setUp({ a: words('from a') });
    expect(await at.ask()).toBe('from a');
    at.answers.a = refused;
    await expect(at.ask()).rejects.toMatchObject({ code: 'core_unavailable' });
    at.answers.a = words('again');
    expect(await at.ask()).toBe('again');
    expect(at.probes()).toEqual([]);
  });

  test('passes its own refusals on, and no proxy’s words', async () => {
    const at = setUp({ a: error('core_overloaded') });
    expect(await at.ask()).toContain('core_overloaded');
    at.answers.a = () => new Response('<h1>Bad gateway</h1>', { status: 502 });
    await expect(at.ask()).rejects.toMatchObject({ code: 'core_unavailable' });
  });
});

describe('of two regions', () => {
  test.each([
    ['refuses the connection', refused],
    ['is a proxy without a core', () => new Response('<h1>Bad gateway</h1>', { status: 502 })],
    ['is shutting down', error('shutting_down')],
    ['is full', error('core_overloaded')],
  ])('the second answers when the first %s', async (_, first) => {
    const at = setUp({ a: region(first), b: region(words('from b')) });
    expect(await at.ask()).toBe('from b');
    expect(at.asked).toEqual(['a/v1/x', 'b/v1/x']);
    expect(at.calls).toEqual(['0 failed', '1 answered']);
  });

  test.each(['model_busy', 'upstream_overloaded', 'database_unavailable', 'model_not_found'] as const)(
    'the first is believed when it says %s',
    async (code) => {
      const at = setUp({ a: region(error(code)), b: region(words('from b')) });
      expect(await at.ask()).toContain(code);
      expect(at.asked).toEqual(['a/v1/x']);
    },
  );

  test('one that fell is left alone, and is back once a probe behind a request finds it', async () => {
    const at = setUp({ a: region(refused, refused), b: region(words('from b')) });
    await at.ask();
    await at.settle();
    await at.ask();
    expect(at.asked).toEqual(['b/v1/x']);
    // Not sooner than half a second, and then more and more seldom.
    at.pass(600);
    await at.ask();
    expect(at.probes()).toEqual(['a/healthz']);
    await at.settle();
    at.pass(600);
    await at.ask();
    expect(at.probes()).toEqual([]);
    at.answers.a = region(words('from a'));
    at.pass(60_000);
    expect(await at.ask()).toBe('from b');
    await at.settle();
    expect(await at.ask()).toBe('from a');
  });

  test('one that is stopping does not pass a probe', async () => {
    const at = setUp({
      a: region(error('shutting_down'), () => Response.json({ status: 'stopping' }, { status: 503 })),
      b: region(words('from b')),
    });
    for (let round = 0; round < 3; round++) {
      await at.ask();
      await at.settle();
      at.pass(20_000);
    }
    await at.ask();
    expect(at.asked).toEqual(['b/v1/x']);
  });

  test('both are asked when both are thought to be down', async () => {
    const at = setUp({ a: region(refused, refused), b: region(refused, refused) });
    await expect(at.ask()).rejects.toMatchObject({ code: 'core_unavailable' });
    at.answers.b = region(words('from b'), refused);
    expect(await at.ask()).toBe('from b');
  });

  test('a call that would make something twice stays where it was lost, and goes on where it was refused', async () => {
    const at = setUp({ a: region(refused), b: region(words('from b')) });
    await expect(at.ask({ isRepeatable: false })).rejects.toMatchObject({ code: 'core_unavailable' });
    expect(at.asked).toEqual(['a/v1/x']);
    expect(await at.ask({ isRepeatable: false })).toBe('from b');
    const other = setUp({ a: region(error('core_overloaded')), b: region(words('from b')) });
    expect(await other.ask({ isRepeatable: false })).toBe('from b');
  });

  test('what is somebody’s is looked for in each, and is missing only where all could be asked', async () => {
    const isFound = async ({ status }: Response) => status !== 404;
    const missing = error('generation_not_found');
    const at = setUp({ a: region(missing), b: region(words('from b')) });
    expect(await at.ask({ isFound })).toBe('from b');
    at.answers.b = region(missing);
    expect(await at.ask({ isFound })).toContain('generation_not_found');
    at.answers.b = region(refused, refused);
    await expect(at.ask({ isFound })).rejects.toMatchObject({ code: 'core_unavailable' });
  });

  test('a caller who leaves is not taken elsewhere', async () => {
    const leaving = new AbortController();
    const at = setUp({
      a: region(() => {
        leaving.abort();
        return Promise.reject(leaving.signal.reason);
      }),
      b: region(words('from b')),
    });
    await expect(at.ask({ signal: leaving.signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect(at.asked).toEqual(['a/v1/x']);
  });
});

describe('a region that is silent', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const silent: Answers[string] = (_path, signal) =>
    new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));

  test('is given up after five seconds, and left alone from then on', async () => {
    const at = setUp({ a: region(silent), b: region(words('from b')) });
    const answer = at.ask();
    await vi.advanceTimersByTimeAsync(4900);
    expect(at.asked).toEqual(['a/v1/x']);
    await vi.advanceTimersByTimeAsync(200);
    expect(await answer).toBe('from b');
    await at.ask();
    expect(at.asked).toEqual(['b/v1/x']);
  });

  test('is waited for where an answer takes its time to begin', async () => {
    const at = setUp({ a: region(silent), b: region(words('from b')) });
    void at.ask({ isPrompt: false });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(at.asked).toEqual(['a/v1/x']);
  });
});

describe('distance', () => {
  const far =
    (at: { pass: (ms: number) => void }, ms: number): Answers[string] =>
    () => {
      at.pass(ms);
      return Response.json({ status: 'ok' });
    };

  test('is measured behind a request, and the nearest is asked from then on', async () => {
    const at = setUp({ a: words(''), b: words(''), c: words('') });
    at.answers.a = region(words('from a'), far(at, 120));
    at.answers.b = region(words('from b'), far(at, 300));
    at.answers.c = region(words('from c'), far(at, 15));
    expect(await at.ask()).toBe('from a');
    expect(at.probes()).toHaveLength(3);
    await at.settle();
    expect(await at.ask()).toBe('from c');
    // Not measured again at once, and in time it is.
    expect(at.probes()).toEqual([]);
    at.pass(61_000);
    await at.ask();
    expect(at.probes()).toHaveLength(3);
  });

  test('that hardly differs changes nothing', async () => {
    const at = setUp({ a: words(''), b: words('') });
    at.answers.a = region(words('from a'));
    at.answers.b = region(words('from b'));
    await at.ask();
    await at.settle();
    expect(await at.ask()).toBe('from a');
  });
});

test('health asks all, and answers with the first that is well', async () => {
  const at = setUp({
    a: region(refused, refused),
    b: region(words(''), () => Response.json({ status: 'ok', models: [] })),
  });
  expect(await at.regions.health()).toEqual({
    ok: true,
    detail: { status: 'ok', models: [] },
    regions: ['down', 'up'],
  });
});
