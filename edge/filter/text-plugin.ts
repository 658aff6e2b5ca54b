/** A filter of texts as a plugin: it looks at every text of a prompt, and at every text of an answer as it comes. */
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { AnswerHook, Plugin, PromptVerdict } from '../plugins/plugin.ts';
import { filterPrompt } from './filter-prompt.ts';
import { FilteredAnswer } from './filtered-answer.ts';
import type { OpenStream } from './masking-stream.ts';

export interface TextPluginOptions extends Pick<Plugin, 'name' | 'onFailure' | 'limitMs' | 'edition'> {
  /** How to look at texts for this caller; `undefined`: not at all. */
  open: (context: RequestContext) => OpenStream | undefined | Promise<OpenStream | undefined>;
  /** Whether the arguments of tool calls are looked at, too: what is masked there, the tool does not get. */
  toolArguments: boolean;
}

export function createTextPlugin(options: TextPluginOptions): Plugin {
  const { name, onFailure, limitMs, open, toolArguments } = options;
  return {
    name,
    onFailure,
    limitMs,
    // At once where the filter is there at once.
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
