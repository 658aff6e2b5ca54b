/**
 * Prompts that the plugins have let pass unchanged before: the same request need not be looked at twice. Owns what is
 * known of each request for as long as the request itself is held.
 */
import type { ChatRequest } from '../../shared/model/chat-model.ts';
import { areSame, type Editions } from './editions.ts';

const passed = new WeakMap<ChatRequest, Editions>();

/** @param editions Of the plugins that look at prompts. */
export function hasPassed(request: ChatRequest, editions: Editions): boolean {
  const before = passed.get(request);
  return before !== undefined && areSame(before, editions);
}

export function rememberPassed(request: ChatRequest, editions: Editions): void {
  passed.set(request, editions);
}
