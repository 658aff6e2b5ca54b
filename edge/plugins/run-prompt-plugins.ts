/** Shows a prompt to the plugins, each seeing what the one before it made of it. */

import { AppError } from '../../shared/errors.ts';
import type { ChatRequest } from '../../shared/model/chat-model.ts';
import { callHook } from './call-hook.ts';
import { areSame, editionsOf } from './editions.ts';
import type { PluginContext, PluginRun } from './plugin.ts';

/**
 * @param caller Its signal is aborted when nobody waits any more; read only for a plugin that waits.
 * @returns the request as the plugins leave it
 * @throws AppError `content_filter` when one refuses it, `filter_unavailable` when one that fails closed fails
 */
export async function runPromptPlugins(
  request: ChatRequest,
  { plugins: all, context, record, now, memo }: PluginRun,
  caller: { readonly signal: AbortSignal },
): Promise<ChatRequest> {
  const plugins = all.filter(({ onPrompt }) => onPrompt);
  // Read before any plugin waits for its list: what a later list judged is judged again.
  const editions = editionsOf(plugins, context);
  if (editions && memo?.passed && areSame(memo.passed, editions)) {
    for (const { name } of plugins) record({ plugin: name, hook: 'prompt', outcome: 'pass', ms: 0 });
    return request;
  }
  let current = request;
  let hasPassedAll = true;
  for (const plugin of plugins) {
    if (!plugin.onPrompt) continue;
    const entry = { plugin: plugin.name, hook: 'prompt' } as const;
    let giveUp: AbortController | undefined;
    const asked: PluginContext = {
      ...context,
      // Created on demand: most plugins answer at once.
      get signal() {
        giveUp ??= new AbortController();
        return AbortSignal.any([caller.signal, giveUp.signal]);
      },
    };
    const hook = plugin.onPrompt.bind(plugin, current, asked);
    const called = callHook(hook, plugin.limitMs, now);
    const result = called instanceof Promise ? await called : called;
    giveUp?.abort();
    if (result.outcome !== 'done') {
      record({ ...entry, ...result });
      hasPassedAll = false;
      if (plugin.onFailure === 'closed') throw new AppError('filter_unavailable', { cause: plugin.name });
      continue;
    }
    const { value, ms } = result;
    if (value.outcome === 'refuse') {
      record({ ...entry, outcome: 'refuse', ms, label: value.label });
      throw new AppError('content_filter', { param: value.param });
    }
    record({ ...entry, outcome: value.outcome, ms });
    if (value.outcome === 'pass') continue;
    hasPassedAll = false;
    current = value.request;
  }
  if (memo && editions && hasPassedAll) memo.passed = editions;
  return current;
}
