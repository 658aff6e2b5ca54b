/** The word lists of the tenants as a plugin. Owns the lists of this isolate. */
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { Plugin } from '../plugins/plugin.ts';
import { type CompiledWords, readCompiledWords } from './compiled-words.ts';
import type { Folding } from './folding.ts';
import { JsonScanner } from './json-scanner.ts';
import { createMaskingStream, type OpenStream } from './masking-stream.ts';
import { createTextPlugin } from './text-plugin.ts';
import { WordScanner } from './word-scanner.ts';

export interface StoredWords {
  /** Names what the bytes are, so that they need not be read twice. */
  version?: string | undefined;
  /** Compiled: see `compiled-words.ts`. */
  bytes: ArrayBuffer;
}

/** Where the lists are kept. */
export interface WordListSource {
  /**
   * The list of a tenant, or `undefined` when it has none.
   * @param known The version that is here already: `unchanged` when it is the newest.
   * @throws Error when it cannot be read
   */
  read(tenant: string, known: string | undefined): Promise<StoredWords | 'unchanged' | undefined>;
}

export interface WordFilterOptions extends Pick<Plugin, 'onFailure' | 'limitMs'> {
  source: WordListSource;
  loadFolding: () => Promise<Folding>;
  /** What stands in place of a masked word; default `***`. */
  mask?: string;
  /** How long a list is used before it is asked for again, in milliseconds; default ten minutes. */
  keepMs?: number;
  /** Memory of the lists of all tenants, in bytes; default 24 MB. Those that were used longest ago go first. */
  maxBytes?: number;
  /** Unix time in milliseconds. */
  now: () => number;
}

/** Tenants that are remembered, those without a list included. */
const MAX_TENANTS = 2000;

/** Stands for a tenant that has no list. */
const noWords = {};

interface Kept {
  version: string | undefined;
  words: CompiledWords | undefined;
  readMs: number;
}

/** A list that cannot be read is a failure of the plugin, but one that was read before stays in use. */
// long: the methods of one plugin share its lists; each is short
export function createWordFilter(options: WordFilterOptions): Plugin {
  const { source, loadFolding, now, mask = '***', keepMs = 600_000, maxBytes = 24 * 1024 * 1024 } = options;
  const maskInJson = JSON.stringify(mask).slice(1, -1);
  /** By tenant, in the order of use. Only what is finished is kept: requests may not share a promise. */
  const lists = new Map<string, Kept>();
  let allBytes = 0;

  let folding: Folding | undefined;
  /** The list that was used last: it stands where it belongs in the order of use. */
  let newest: Kept | undefined;

  /** The list of a tenant, where it need not be asked for. */
  function fresh(tenant: string): Kept | undefined {
    const kept = lists.get(tenant);
    return kept && now() - kept.readMs < keepMs ? kept : undefined;
  }

  async function wordsOf(tenant: string): Promise<CompiledWords | undefined> {
    const known = lists.get(tenant);
    let kept = fresh(tenant);
    if (!kept) {
      try {
        kept = await refresh(tenant, known);
      } catch (error) {
        if (!known) throw error;
        kept = { ...known, readMs: now() };
      }
    }
    forget(tenant);
    lists.set(tenant, kept);
    allBytes += kept.words?.bytes ?? 0;
    evict();
    return kept.words;
  }

  async function refresh(tenant: string, known: Kept | undefined): Promise<Kept> {
    const stored = await source.read(tenant, known?.version);
    const readMs = now();
    if (stored === 'unchanged' && known) return { ...known, readMs };
    if (typeof stored !== 'object') return { version: undefined, words: undefined, readMs };
    return { version: stored.version, words: readCompiledWords(stored.bytes), readMs };
  }

  function evict(): void {
    for (const tenant of lists.keys()) {
      if ((allBytes <= maxBytes && lists.size <= MAX_TENANTS) || lists.size === 1) return;
      forget(tenant);
    }
  }

  function forget(tenant: string): void {
    allBytes -= lists.get(tenant)?.words?.bytes ?? 0;
    lists.delete(tenant);
  }

  async function load(tenant: string): Promise<OpenStream | undefined> {
    const words = await wordsOf(tenant);
    newest = lists.get(tenant);
    if (!words || words.wordCount === 0) return undefined;
    folding ??= await loadFolding();
    return openWith(words, folding);
  }

  function openWith(words: CompiledWords | undefined, table: Folding): OpenStream | undefined {
    if (!words || words.wordCount === 0) return undefined;
    return (form) => {
      const scanner = new WordScanner(words, table);
      return form === 'json'
        ? createMaskingStream(new JsonScanner(scanner), () => maskInJson)
        : createMaskingStream(scanner, () => mask);
    };
  }

  return createTextPlugin({
    name: 'words',
    onFailure: options.onFailure,
    limitMs: options.limitMs,
    toolArguments: true,
    edition({ tenant }: RequestContext) {
      const kept = fresh(tenant);
      return kept && (kept.words ?? noWords);
    },
    open({ tenant }: RequestContext): OpenStream | undefined | Promise<OpenStream | undefined> {
      const kept = fresh(tenant);
      if (kept && newest === kept && folding) return openWith(kept.words, folding);
      return load(tenant);
    },
  });
}
