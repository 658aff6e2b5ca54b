/**
 * Prompts that the plugins have let pass unchanged before: the same request need not be looked at twice. Owns what is
 * known of each request for as long as the request itself is held.
 */
import type { ChatRequest } from '../../shared/chat-model.ts';
import type { PluginRun } from './plugin.ts';

const passed = new WeakMap<ChatRequest, readonly object[]>();

/** What each plugin that looks at prompts judges this caller's by; `undefined` where one judges by more than the words. */
export function promptEditions({ plugins, context }: PluginRun): readonly object[] | undefined {
  const editions: object[] = [];
  for (const plugin of plugins) {
    if (!plugin.onPrompt) continue;
    const edition = plugin.edition?.(context);
    if (edition === undefined) return undefined;
    editions.push(edition);
  }
  return editions;
}

export function hasPassed(request: ChatRequest, editions: readonly object[]): boolean {
  const before = passed.get(request);
  return before?.length === editions.length && before.every((edition, at) => edition === editions[at]);
}

export function rememberPassed(request: ChatRequest, editions: readonly object[]): void {
  passed.set(request, editions);
}
