/** The plugins of one turn, as its parts take them: the prompt on its way in, the answer on its way out. */
import type { ChatEvent, ChatModel, ChatRequest } from '../../shared/model/chat-model.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { CachedAnswer } from '../cache/cached-answer.ts';
import type { RecordPlugin } from '../observe/record-plugin.ts';
import { knownAnswer } from '../plugins/known-answers.ts';
import type { Plugin, PluginRun } from '../plugins/plugin.ts';
import { runPromptPlugins } from '../plugins/run-prompt-plugins.ts';
import { withPlugins } from '../plugins/with-plugins.ts';

export interface TurnPlugins {
  /**
   * @param caller Whose signal is aborted when nobody waits any more.
   * @throws AppError `content_filter`, `filter_unavailable`
   */
  onPrompt(request: ChatRequest, caller: { readonly signal: AbortSignal }): Promise<ChatRequest>;
  onAnswer(model: ChatModel): ChatModel;
  /** The events of an answer that is known already; `undefined` where they must be looked at one by one. */
  onKnownAnswer(answer: CachedAnswer): Promise<ChatEvent[] | undefined>;
  /** Whether answers come out other than they went in, and with another number of events. */
  readonly changesAnswers: boolean;
}

export interface TurnPluginsOptions {
  record: RecordPlugin;
  /** Keeps the isolate awake for what goes on after the answer's end. */
  waitUntil: (work: Promise<unknown>) => void;
}

export function createTurnPlugins(
  plugins: readonly Plugin[],
  context: RequestContext,
  { record, waitUntil }: TurnPluginsOptions,
): TurnPlugins {
  const run: PluginRun = {
    plugins,
    context,
    record: (did) => record(context.requestId, did),
    now: () => Date.now(),
    waitUntil,
  };
  return {
    onPrompt: (request, caller) => runPromptPlugins(request, run, caller),
    onAnswer: (model) => withPlugins(model, run),
    onKnownAnswer: (answer) => knownAnswer(answer, run),
    changesAnswers: plugins.length > 0,
  };
}
