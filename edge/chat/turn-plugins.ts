/** The plugins of one turn: what they do with its prompt (step 1) and with its answer (step 8). */
import type { ChatEvent, ChatModel, ChatRequest } from '../../shared/model/chat-model.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import { withKnowledge } from '../../shared/wire/chat-schema.ts';
import type { CachedAnswer } from '../cache/cached-answer.ts';
import { knownAnswer } from '../plugins/known-answers.ts';
import type { Plugin, PluginRun, PromptMemo } from '../plugins/plugin.ts';
import type { RecordPlugin } from '../plugins/record-plugin.ts';
import { runPromptPlugins } from '../plugins/run-prompt-plugins.ts';
import { withPlugins } from '../plugins/with-plugins.ts';
import { includesTenant } from '../tenants.ts';

export interface TurnPlugins {
  /**
   * @param caller Its signal is aborted when nobody waits any more.
   * @throws AppError `content_filter`, `filter_unavailable`
   */
  onPrompt(request: ChatRequest, caller: { readonly signal: AbortSignal }): Promise<ChatRequest>;
  onAnswer(model: ChatModel): ChatModel;
  /** The events of an answer that is known already; `undefined` where plugins must see them one by one. */
  onKnownAnswer(answer: CachedAnswer): Promise<ChatEvent[] | undefined>;
  /** Whether answers come out other than they went in, and with another number of events. */
  readonly changesAnswers: boolean;
}

export interface TurnPluginsOptions {
  plugins: readonly Plugin[];
  record: RecordPlugin;
  /** Tenants that answer from their documents unless a prompt says otherwise; `*` for all. */
  knowledgeTenants: readonly string[];
  /** Keeps the isolate awake for work that continues after the answer's end. */
  waitUntil: (work: Promise<unknown>) => void;
  now: () => number;
}

/** @returns what makes the plugins of one turn; its `memo` is that of the turn's prompt */
export function createTurnPlugins({ plugins, record, knowledgeTenants, waitUntil, now }: TurnPluginsOptions) {
  return function pluginsOf(context: RequestContext, memo?: PromptMemo): TurnPlugins {
    const run: PluginRun = {
      plugins,
      context,
      record: (did) => record(context.requestId, did),
      now,
      waitUntil,
      memo,
    };
    const readsDocuments = includesTenant(knowledgeTenants, context.tenant);
    return {
      onPrompt(request, caller) {
        const passed = runPromptPlugins(request, run, caller);
        return readsDocuments ? passed.then(askDocuments) : passed;
      },
      onAnswer: (model) => withPlugins(model, run),
      onKnownAnswer: (answer) => knownAnswer(answer, run),
      changesAnswers: plugins.length > 0,
    };
  };
}

function askDocuments(prompt: ChatRequest): ChatRequest {
  return prompt.model === 'auto' && !prompt.recall ? { ...prompt, ...withKnowledge(true) } : prompt;
}
