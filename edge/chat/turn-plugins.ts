/** The plugins of one turn, as its parts take them: the prompt on its way in, the answer on its way out. */
import type { ChatEvent, ChatModel, ChatRequest } from '../../shared/chat-model.ts';
import type { RequestContext } from '../../shared/request-context.ts';
import type { CachedAnswer } from '../cache/cached-answer.ts';
import { logLine } from '../observe/log.ts';
import type { Measurements } from '../observe/measurements.ts';
import { toNanoseconds } from '../observe/record-turn.ts';
import { knownAnswer } from '../plugins/known-answers.ts';
import type { Plugin, PluginRecord, PluginRun } from '../plugins/plugin.ts';
import { runPromptPlugins } from '../plugins/run-prompt-plugins.ts';
import { withPlugins } from '../plugins/with-plugins.ts';

export interface TurnPlugins {
  /** @throws AppError `content_filter`, `filter_unavailable` */
  onPrompt(request: ChatRequest, signal: AbortSignal): Promise<ChatRequest>;
  onAnswer(model: ChatModel): ChatModel;
  /** The events of an answer that is known already; `undefined` where they must be looked at one by one. */
  onKnownAnswer(answer: CachedAnswer): Promise<ChatEvent[] | undefined>;
  /** Whether answers come out other than they went in, and with another number of events. */
  readonly changesAnswers: boolean;
}

export interface TurnPluginsOptions {
  measurements: Measurements;
  /** Keeps the isolate awake for what goes on after the answer's end. */
  waitUntil: (work: Promise<unknown>) => void;
}

export function createTurnPlugins(
  plugins: readonly Plugin[],
  context: RequestContext,
  { measurements, waitUntil }: TurnPluginsOptions,
): TurnPlugins {
  const run: PluginRun = {
    plugins,
    context,
    record(record) {
      measureRecord(measurements, record);
      logRecord(context.requestId, record);
    },
    now: () => Date.now(),
    waitUntil,
  };
  return {
    onPrompt: (request, signal) => runPromptPlugins(request, run, signal),
    onAnswer: (model) => withPlugins(model, run),
    onKnownAnswer: (answer) => knownAnswer(answer, run),
    changesAnswers: plugins.length > 0,
  };
}

const outcomes: Record<PluginRecord['outcome'], string> = {
  pass: 'passed',
  flag: 'passed',
  change: 'changed',
  mask: 'changed',
  refuse: 'refused',
  threw: 'failed',
  slow: 'failed',
};

function measureRecord(measurements: Measurements, { plugin, hook, outcome, ms }: PluginRecord): void {
  const text = hook === 'prompt' ? 'prompt' : 'answer';
  measurements.count('edgewise_filter_total', { text, outcome: outcomes[outcome] });
  measurements.observe('edgewise_plugin_duration_seconds', { plugin, text }, ms / 1000);
}

/** Names and numbers only: what was said, and what a plugin threw, may hold the prompt. */
function logRecord(requestId: string, { plugin, hook, outcome, ms, label, masked }: PluginRecord): void {
  if (outcome === 'pass') return;
  const level = outcome === 'threw' || outcome === 'slow' ? 'error' : 'info';
  logLine(level, 'plugin', {
    'event.action': 'filter',
    'event.duration': toNanoseconds(ms),
    'http.request.id': requestId,
    edgewise: { plugin, hook, outcome, label, masked },
  });
}
