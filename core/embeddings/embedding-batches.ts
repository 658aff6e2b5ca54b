/**
 * Batches concurrent embedding requests into one upstream call, and requests a text that is in flight only once. Owns
 * what waits for the next call. Each caller gets only the vectors of its own texts.
 * By hand: batch loaders bound a batch by its count alone, and keep a text whose callers have all left.
 */
import { AppError, toAppError } from '../../shared/errors.ts';
import { isRequestFault } from '../../shared/model/upstream-errors.ts';

export interface Embedded {
  vectors: number[][];
  /** Of all texts of the call together. */
  tokens: number;
}

export interface EmbeddingBatchesOptions {
  /** One call upstream: a vector for each text, in their order. `group` is what the calls have in common. */
  embed: (group: string, texts: string[], signal: AbortSignal) => Promise<Embedded>;
  /** How long a text waits for company, in milliseconds. */
  maxDelayMs: number;
  /** Most texts of a call. */
  maxTexts: number;
  /** Most characters of a call; one text may be longer. */
  maxChars: number;
}

export interface EmbeddingBatches {
  /** The vectors of these texts, in their order. @throws AppError the upstream's; `cancelled` */
  embed(group: string, texts: readonly string[], signal: AbortSignal): Promise<Embedded>;
}

interface Asked {
  text: string;
  /** How many wait for it; nobody: it need not be asked. */
  readers: number;
  answer: PromiseWithResolvers<{ vector: number[]; tokens: number }>;
}

interface Gathering {
  /** By text. */
  asked: Map<string, Asked>;
  timer: NodeJS.Timeout | undefined;
  chars: number;
}

// long: the steps of a batch share its two maps
export function createEmbeddingBatches(options: EmbeddingBatchesOptions): EmbeddingBatches {
  const { embed, maxDelayMs, maxTexts, maxChars } = options;
  const gatherings = new Map<string, Gathering>();
  /** By group and text: asked, and not answered yet. */
  const onTheWay = new Map<string, Asked>();

  function join(group: string, text: string): Asked {
    const name = JSON.stringify([group, text]);
    const known = onTheWay.get(name);
    if (known && known.readers > 0) {
      known.readers++;
      return known;
    }
    const asked: Asked = { text, readers: 1, answer: Promise.withResolvers() };
    // Everybody who waits hears it; here it must not end the process.
    asked.answer.promise
      .catch(() => undefined)
      .then(() => onTheWay.get(name) === asked && onTheWay.delete(name));
    onTheWay.set(name, asked);
    gather(group, asked);
    return asked;
  }

  function gather(group: string, asked: Asked): void {
    let gathering = gatherings.get(group);
    if (gathering && gathering.chars + asked.text.length > maxChars) {
      send(group);
      gathering = undefined;
    }
    if (!gathering) {
      gathering = { asked: new Map(), timer: setTimeout(() => send(group), maxDelayMs), chars: 0 };
      gatherings.set(group, gathering);
    }
    gathering.asked.set(asked.text, asked);
    gathering.chars += asked.text.length;
    if (gathering.asked.size >= maxTexts) send(group);
  }

  function send(group: string): void {
    const gathering = gatherings.get(group);
    if (!gathering) return;
    gatherings.delete(group);
    clearTimeout(gathering.timer);
    const wanted = [...gathering.asked.values()].filter(({ readers }) => readers > 0);
    if (wanted.length > 0) void ask(group, wanted);
  }

  /** Never rejects. */
  async function ask(group: string, wanted: Asked[]): Promise<void> {
    const call = new AbortController();
    const allLeft = setInterval(() => {
      if (wanted.every(({ readers }) => readers === 0)) call.abort();
    }, 20).unref();
    try {
      const { vectors, tokens } = await embed(
        group,
        wanted.map(({ text }) => text),
        call.signal,
      );
      if (vectors.length !== wanted.length) throw new AppError('upstream_invalid');
      const chars = wanted.reduce((sum, { text }) => sum + text.length, 0);
      for (const [index, { text, answer }] of wanted.entries())
        answer.resolve({
          vector: vectors[index] as number[],
          tokens: (tokens * text.length) / Math.max(1, chars),
        });
    } catch (thrown) {
      const error = toAppError(thrown);
      // One text that the upstream does not take must not fail the others.
      if (isRequestFault(error.code) && wanted.length > 1)
        await Promise.all(halves(wanted).map((half) => ask(group, half)));
      else for (const { answer } of wanted) answer.reject(error);
    } finally {
      clearInterval(allLeft);
    }
  }

  return {
    async embed(group, texts, signal) {
      if (signal.aborted) throw new AppError('cancelled');
      const wanted = texts.map((text) => join(group, text));
      const left = Promise.withResolvers<never>();
      const leave = () => left.reject(new AppError('cancelled'));
      signal.addEventListener('abort', leave, { once: true });
      try {
        const answers = await Promise.race([
          Promise.all(wanted.map(({ answer }) => answer.promise)),
          left.promise,
        ]);
        return {
          vectors: answers.map(({ vector }) => vector),
          tokens: Math.ceil(answers.reduce((sum, { tokens }) => sum + tokens, 0) - 1e-6),
        };
      } finally {
        signal.removeEventListener('abort', leave);
        for (const asked of wanted) asked.readers--;
      }
    },
  };
}

function halves<T>(list: T[]): [T[], T[]] {
  const middle = Math.ceil(list.length / 2);
  return [list.slice(0, middle), list.slice(middle)];
}
