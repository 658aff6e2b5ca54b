/** A text filter as a plugin: filters every text of a prompt, and every text of an answer while it streams. */
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { AnswerHook, Plugin, PromptVerdict } from '../plugins/plugin.ts';
import { filterPrompt } from './filter-prompt.ts';
import { FilteredAnswer } from './filtered-answer.ts';
import type { OpenStream } from './masking-stream.ts';

export interface TextPluginOptions extends Pick<Plugin, 'name' | 'onFailure' | 'limitMs' | 'edition'> {
  /** Opens the filter's streams for this caller; `undefined` when nothing is filtered. */
  open: (context: RequestContext) => OpenStream | undefined | Promise<OpenStream | undefined>;
  /** Whether arguments of tool calls are filtered too; the tool then gets the masked text. */
  toolArguments: boolean;
}

export function createTextPlugin(options: TextPluginOptions): Plugin {
  const { name, onFailure, limitMs, open, toolArguments } = options;
  return {
    name,
    onFailure,
    limitMs,
    // Synchronous when the filter is already loaded.
    onPrompt(request, context) {
      const judge = (openStream: OpenStream | undefined): PromptVerdict =>
        openStream ? filterPrompt(request, openStream, toolArguments) : { outcome: 'pass' };
      const opened = open(context);
      return opened instanceof Promise ? opened.then(judge) : judge(opened);
    },
    onDelta(context) {
      const hook = (openStream: OpenStream | undefined): AnswerHook =>
        openStream ? new FilteredAnswer(openStream, toolArguments) : passing;
      const opened = open(context);
      return opened instanceof Promise ? opened.then(hook) : hook(opened);
    },
    ...(options.edition && { edition: options.edition }),
  };
}

const passing: AnswerHook = {
  push: (event) => ({ events: [event] }),
  end: () => ({ events: [] }),
  held: () => [],
};
