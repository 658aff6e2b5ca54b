/** The word filter as a plugin. Owns this isolate's copies of the tenants' word lists. */
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { Plugin } from '../plugins/plugin.ts';
import { type CompiledWords, readCompiledWords } from './compiled-words.ts';
import type { Folding } from './folding.ts';
import { JsonScanner } from './json-scanner.ts';
import { createMaskingStream, type OpenStream } from './masking-stream.ts';
import { createTextPlugin } from './text-plugin.ts';
import { WordScanner } from './word-scanner.ts';

export interface StoredWords {
  /** Identifies the bytes, so that unchanged ones are not read again. */
  version?: string | undefined;
  /** Compiled words; see `compiled-words.ts`. */
  bytes: ArrayBuffer;
}

/** Where the lists are stored. */
export interface WordListSource {
  /**
   * The list of a tenant, or `undefined` when it has none.
   * @param old the version that the caller has
   * @returns `unchanged` when that version is the newest
   * @throws Error when it cannot be read
   */
  read(tenant: string, old: string | undefined): Promise<StoredWords | 'unchanged' | undefined>;
}

export interface WordFilterOptions extends Pick<Plugin, 'onFailure' | 'limitMs'> {
  source: WordListSource;
  loadFolding: () => Promise<Folding>;
  /** The text that replaces a masked word; default `***`. */
  mask?: string;
  /** How long a list is used before it is read again, in milliseconds; default ten minutes. */
  keepMs?: number;
  /** Memory of the lists of all tenants, in bytes; default 24 MB. The least recently used are evicted first. */
  maxBytes?: number;
  /** Unix time in milliseconds. */
  now: () => number;
}

/** Most tenants in memory, including those without a list. */
const MAX_TENANTS = 2000;

/** Represents the list of a tenant without one. */
const noWords = {};

interface Kept {
  version: string | undefined;
  words: CompiledWords | undefined;
  readMs: number;
}

/** A list that cannot be read makes the plugin fail, unless an older version is in memory; that one stays in use. */
// long: short methods that share the lists of one plugin
export function createWordFilter(options: WordFilterOptions): Plugin {
  const { source, loadFolding, now, mask = '***', keepMs = 600_000, maxBytes = 24 * 1024 * 1024 } = options;
  const maskInJson = JSON.stringify(mask).slice(1, -1);
  /** By tenant, in the order of use. No promises: on Workers, requests must not share them. */
  const lists = new Map<string, Kept>();
  let allBytes = 0;

  let folding: Folding | undefined;
  /** The most recently used list, which is already the last in the order of use. */
  let newest: Kept | undefined;

  /** The list of a tenant, if it need not be read again. */
  function fresh(tenant: string): Kept | undefined {
    const kept = lists.get(tenant);
    return kept && now() - kept.readMs < keepMs ? kept : undefined;
  }

  async function wordsOf(tenant: string): Promise<CompiledWords | undefined> {
    const old = lists.get(tenant);
    let kept = fresh(tenant);
    if (!kept) {
      try {
        kept = await refresh(tenant, old);
      } catch (error) {
        if (!old) throw error;
        kept = { ...old, readMs: now() };
      }
    }
    forget(tenant);
    lists.set(tenant, kept);
    allBytes += kept.words?.bytes ?? 0;
    evict();
    return kept.words;
  }

  async function refresh(tenant: string, old: Kept | undefined): Promise<Kept> {
    const stored = await source.read(tenant, old?.version);
    const readMs = now();
    if (stored === 'unchanged' && old) return { ...old, readMs };
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
