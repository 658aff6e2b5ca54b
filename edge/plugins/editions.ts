import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { Plugin } from './plugin.ts';

/** What plugins judge by besides the words, in their order: where that is the same, the same words get the same verdict. */
export type Editions = readonly object[];

/** @returns `undefined` where one of the plugins judges this caller's words by more */
export function editionsOf(plugins: readonly Plugin[], context: RequestContext): Editions | undefined {
  const editions: object[] = [];
  for (const plugin of plugins) {
    const edition = plugin.edition?.(context);
    if (edition === undefined) return undefined;
    editions.push(edition);
  }
  return editions;
}

export function areSame(one: Editions, other: Editions): boolean {
  return one.length === other.length && one.every((edition, at) => edition === other[at]);
}
