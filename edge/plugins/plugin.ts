/**
 * What may look at a prompt on its way in and at an answer on its way out. A plugin can let it pass, change it,
 * mask parts of it or refuse it. It knows no wire, no store and no other plugin.
 */
import type { ChatEvent, ChatRequest, FinishReason } from '../../shared/model/chat-model.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';

/** What a model says, as it says it. */
export type DeltaEvent = Extract<
  ChatEvent,
  { type: 'text-delta' | 'reasoning-delta' | 'refusal-delta' | 'tool-call-delta' | 'extra-delta' }
>;

export interface PluginContext extends RequestContext {
  /** Aborted when nobody waits for the plugin any more. */
  signal: AbortSignal;
}

export type PromptVerdict =
  | { outcome: 'pass' }
  | { outcome: 'change' | 'mask'; request: ChatRequest }
  /** `label`: why, in a word for the log. `param`: the field at fault, as a path. */
  | { outcome: 'refuse'; label: string; param?: string };

export interface DeltaVerdict {
  /** What may go out now. What is held back comes with a later verdict. */
  events: DeltaEvent[];
  /** Set when the answer must end here: why, in a word for the log. `events` go out before. */
  refuse?: string | undefined;
  /** How many places were masked. */
  masked?: number;
}

/** One answer on its way out. Held-back text is the hook's own; so is every state. */
export interface AnswerHook {
  push(event: DeltaEvent): DeltaVerdict | Promise<DeltaVerdict>;
  /** The model has said all. @returns what was held back */
  end(): DeltaVerdict | Promise<DeltaVerdict>;
  /** What is held back, as it came: it goes out if the hook fails and its plugin fails open. */
  held(): DeltaEvent[];
}

/** What went out of an answer, after the plugins. */
export interface WholeAnswer {
  text: string;
  reasoning: string;
  refusal: string;
  /** By place among the answer's calls: the arguments as JSON text. */
  toolArguments: string[];
  /** Left out when the answer ended with an error. */
  finishReason?: FinishReason;
}

export interface Plugin {
  readonly name: string;
  /**
   * What happens when a hook throws or is too slow. `open`: prompt and answer go on without it; `closed`: they
   * do not, and the error is `filter_unavailable`.
   */
  readonly onFailure: 'open' | 'closed';
  /** How long one call of a hook may take, in milliseconds. One that computes all the while is judged when it is over. */
  readonly limitMs: number;
  /**
   * What the verdict on a prompt or an answer depends on besides its words and on nothing else: the same object, the
   * same verdict. `undefined`, or left out: it depends on more, or that is not known at once.
   */
  edition?(context: RequestContext): object | undefined;
  onPrompt?(request: ChatRequest, context: PluginContext): PromptVerdict | Promise<PromptVerdict>;
  /** Called once for each answer, before its first delta. */
  onDelta?(context: PluginContext): AnswerHook | Promise<AnswerHook>;
  /** The whole answer, after its end: nothing of it can be taken back. @returns a label to record, if any */
  onAnswer?(answer: WholeAnswer, context: PluginContext): string | undefined | Promise<string | undefined>;
}

/** What one plugin did at one hook of one turn; holds nothing of what was said. */
export interface PluginRecord {
  plugin: string;
  hook: 'prompt' | 'delta' | 'answer';
  outcome: 'pass' | 'change' | 'mask' | 'refuse' | 'flag' | 'threw' | 'slow';
  /** All calls of the hook together. */
  ms: number;
  /** Why, where the plugin said. */
  label?: string;
  /** Places masked. */
  masked?: number;
  /** What was thrown, for the log. */
  error?: unknown;
}

/**
 * What plugins found out about one prompt before, kept beside that prompt by whoever keeps it: the same prompt need not be
 * judged twice by the same plugins.
 */
export interface PromptMemo {
  /** The editions of the plugins that let it pass unchanged. */
  passed?: readonly object[];
}

/** What running plugins takes, besides the plugins. */
export interface PluginRun {
  plugins: readonly Plugin[];
  context: RequestContext;
  record: (record: PluginRecord) => void;
  /** Milliseconds. */
  now: () => number;
  /** Keeps the isolate awake for work that continues after the answer's end. */
  waitUntil: (work: Promise<unknown>) => void;
  /** Of this run's prompt; none where nobody keeps the prompt. */
  memo?: PromptMemo | undefined;
}
