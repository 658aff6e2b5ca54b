/**
 * The core's regions: the nearest healthy one is asked first, and a call that it does not take goes on to the next
 * within the same request. Owns what is known of each region, per isolate and as plain numbers, since requests may not
 * share promises. No request waits to learn it: regions are measured, and asked whether they are back, behind a request
 * that comes anyway.
 */
import { AppError, parseErrorInfo } from '../../shared/errors.ts';

export interface CoreRegionsOptions {
  /** Their addresses; the first is asked until others turn out to be nearer. */
  urls: readonly string[];
  fetch: typeof fetch;
  /** Unix time in milliseconds. */
  now: () => number;
  /** Lets work go on after the request that began it. */
  defer: (work: Promise<unknown>) => void;
  /** A region, by its place in `urls`, has taken a call or has not. */
  onCall?: (region: number, outcome: 'answered' | 'failed') => void;
}

export interface RegionCall {
  method: string;
  headers: Record<string, string>;
  body: string | Uint8Array<ArrayBuffer> | null;
  signal: AbortSignal | undefined;
  /** Whether a call that got lost may be made again, elsewhere. */
  isRepeatable: boolean;
  /** Whether its answer begins at once, so that silence means that nobody is there. */
  isPrompt: boolean;
  /** Whether this region has what is asked for; another one may have it when not. Without it any answer is one. */
  isFound?: ((answer: Response) => Promise<boolean>) | undefined;
}

export interface CoreRegions {
  /** How many there are. */
  readonly count: number;
  /** @throws AppError `core_unavailable`, or `cancelled` when the signal was aborted */
  ask(path: string, call: RegionCall): Promise<Response>;
  /** Asks all of them. Never throws. */
  health(): Promise<CoreHealth>;
}

export interface CoreHealth {
  /** Whether one of them answers well. */
  ok: boolean;
  /** What the first of those says, or else the first of all. */
  detail: unknown;
  regions: ('up' | 'down')[];
}

interface Region {
  index: number;
  url: string;
  isDown: boolean;
  /** Probes that failed in a row. */
  failures: number;
  /** Round trip, smoothed; unknown until it was measured. */
  roundTripMs: number | undefined;
  nextProbeMs: number;
}

const PROBE_TIMEOUT_MS = 2000;
/** How soon a region that is down is asked whether it is back; doubled with each time that it is not. */
const FIRST_PROBE_MS = 500;
const LONGEST_PROBE_MS = 5000;
const MEASURE_MS = 60_000;
/** A call whose answer should begin at once and does not is taken elsewhere. */
const SILENCE_MS = 5000;
/** Another region is nearer when its round trip is shorter by this share and by this much: no swinging to and fro. */
const NEARER_SHARE = 0.8;
const NEARER_MS = 5;

// long: a factory: the state of the regions and the short functions over it
export function createCoreRegions({ urls, fetch: ask, now, defer, onCall }: CoreRegionsOptions): CoreRegions {
  const regions = urls.map(
    (url, index): Region => ({
      index,
      url,
      isDown: false,
      failures: 0,
      roundTripMs: undefined,
      nextProbeMs: 0,
    }),
  );
  let nearest = 0;

  function inOrder(): Region[] {
    const first = (region: Region) => (region.index === nearest ? 0 : 1);
    return [...regions].sort(
      (one, other) =>
        Number(one.isDown) - Number(other.isDown) ||
        first(one) - first(other) ||
        (one.roundTripMs ?? 0) - (other.roundTripMs ?? 0) ||
        one.index - other.index,
    );
  }

  function markDown(region: Region): void {
    if (!region.isDown) region.nextProbeMs = now() + FIRST_PROBE_MS;
    region.isDown = true;
  }

  /** Behind this request: who is down may be back, and distances change. */
  function probeWhatIsDue(): void {
    if (regions.length === 1) return;
    for (const region of regions) {
      if (now() < region.nextProbeMs) continue;
      const pauseMs = region.isDown
        ? Math.min(FIRST_PROBE_MS * 2 ** (region.failures + 1), LONGEST_PROBE_MS)
        : MEASURE_MS;
      region.nextProbeMs = now() + pauseMs;
      defer(probe(region));
    }
  }

  async function probe(region: Region): Promise<{ ok: boolean; detail: unknown }> {
    const startMs = now();
    try {
      const answer = await ask(`${region.url}/healthz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
      const tookMs = now() - startMs;
      const detail = await answer.json();
      if (!answer.ok) throw new Error('it is stopping');
      region.roundTripMs = region.roundTripMs === undefined ? tookMs : (region.roundTripMs * 3 + tookMs) / 4;
      region.isDown = false;
      region.failures = 0;
      chooseNearest();
      return { ok: true, detail };
    } catch {
      markDown(region);
      region.failures++;
      return { ok: false, detail: { status: 'unreachable' } };
    }
  }

  function chooseNearest(): void {
    const currentMs = regions[nearest]?.roundTripMs;
    if (currentMs === undefined) return;
    for (const { index, roundTripMs, isDown } of regions) {
      if (isDown || roundTripMs === undefined) continue;
      const best = regions[nearest]?.roundTripMs ?? currentMs;
      if (roundTripMs < best * NEARER_SHARE && roundTripMs < best - NEARER_MS) nearest = index;
    }
  }

  /** @returns nothing when the region does not take the call */
  async function attempt(region: Region, path: string, call: RegionCall): Promise<Response | undefined> {
    const { method, headers, body, signal, isPrompt } = call;
    const silence = new AbortController();
    const limited = isPrompt && regions.length > 1;
    const timer = limited ? setTimeout(() => silence.abort(), SILENCE_MS) : undefined;
    try {
      const either = limited ? AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]) : signal;
      return await ask(region.url + path, { method, headers, body, signal: either ?? null });
    } catch (cause) {
      if (signal?.aborted) throw new AppError('cancelled');
      if (regions.length === 1) throw new AppError('core_unavailable', { cause });
      return undefined;
    } finally {
      if (timer !== undefined) clearTimeout(timer);
    }
  }

  return {
    count: regions.length,
    async ask(path, call) {
      probeWhatIsDue();
      let refusal: Response | undefined;
      let wasLost = false;
      let notFound: Response | undefined;
      for (const region of inOrder()) {
        const answer = await attempt(region, path, call);
        const verdict = answer ? await judge(answer) : undefined;
        if (!answer || !verdict) {
          onCall?.(region.index, 'failed');
          markDown(region);
          wasLost = true;
          // It may have been taken before it got lost.
          if (!call.isRepeatable) break;
          continue;
        }
        if (verdict.isRefused) {
          onCall?.(region.index, 'failed');
          if (verdict.isGoing) markDown(region);
          refusal = verdict.answer;
          continue;
        }
        onCall?.(region.index, 'answered');
        region.isDown = false;
        region.failures = 0;
        if (!call.isFound || regions.length === 1 || (await call.isFound(verdict.answer)))
          return verdict.answer;
        notFound = verdict.answer;
      }
      // Where one could not be asked, nobody knows that it is not there.
      if (notFound && !wasLost && !refusal) return notFound;
      if (refusal) return refusal;
      throw new AppError('core_unavailable');
    },

    async health() {
      const found = await Promise.all(regions.map(probe));
      const well = found.find(({ ok }) => ok);
      return {
        ok: well !== undefined,
        detail: (well ?? found[0])?.detail,
        regions: found.map(({ ok }) => (ok ? 'up' : 'down')),
      };
    },
  };
}

interface Verdict {
  answer: Response;
  /** Another region may take it. */
  isRefused: boolean;
  /** The region as a whole is going, and not only full. */
  isGoing: boolean;
}

/** @returns nothing when a proxy answered in the place of a core that is not there */
async function judge(answer: Response): Promise<Verdict | undefined> {
  if (answer.status < 502) return { answer, isRefused: false, isGoing: false };
  const text = await answer.text().catch(() => '');
  const code = codeOf(text);
  if (code === undefined) return undefined;
  const isGoing = code === 'shutting_down';
  return {
    answer: new Response(text, { status: answer.status, headers: answer.headers }),
    isRefused: isGoing || code === 'core_overloaded',
    isGoing,
  };
}

/** Of an error in our own words. */
function codeOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    const { code } = parseErrorInfo(error);
    return code === 'internal_error' ? undefined : code;
  } catch {
    return undefined;
  }
}
