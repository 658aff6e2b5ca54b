/**
 * The model that needs no model: it quotes the knowledge base, names its source, and says first and
 * plainly that no language model wrote the answer. The ladder's last rung and the embedded default.
 */
import { type ChatEvent, type ChatModel, messageText } from '../../shared/model/chat-model.ts';
import { eventStream } from '../../shared/model/event-stream.ts';
import type { Passage, ReferencedRequest } from '../text/citations.ts';
import type { FoundPassage, PassageIndex } from '../text/passage-index.ts';

export const EXTRACTIVE_MODEL = 'edgewise-extractive';

const texts = {
  en: {
    notice: 'No language model answered this. Below is a passage quoted from the knowledge base.',
    nothing: 'No language model answered this, and the knowledge base holds no passage about your question.',
    source: 'Source',
  },
  zh: {
    notice: '这条回答不是语言模型写的。以下是从知识库中原样引用的一段。',
    nothing: '这条回答不是语言模型写的，知识库中也没有与您的问题相关的段落。',
    source: '来源',
  },
};

export function createExtractiveModel(index: PassageIndex): ChatModel {
  async function* answer(
    request: ReferencedRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ChatEvent, void, void> {
    yield { type: 'model-start', model: EXTRACTIVE_MODEL, provider: 'edgewise' };
    const newest = request.messages.findLast((message) => message.role === 'user');
    const question = newest ? messageText(newest) : '';
    const [passage] = request.passages ?? [];
    const found = passage ? quoteOf(passage) : toQuote(index.find(question));
    for (const text of pieces(compose(question, found))) {
      if (signal.aborted) {
        yield {
          type: 'error',
          error: { code: 'cancelled', message: 'The turn was cancelled.', retryable: false },
        };
        return;
      }
      yield { type: 'text-delta', text };
    }
    yield { type: 'turn-end', finishReason: 'stop' };
  }
  return {
    name: EXTRACTIVE_MODEL,
    stream: (request, signal) => eventStream(signal, (inner) => answer(request, inner)),
  };
}

interface Quote {
  text: string;
  source: string;
}

/** The first passage of a prompt stands there as number 1. */
function quoteOf({ text, title, heading }: Passage): Quote {
  return { text, source: `${heading === '' ? title : `${title}, "${heading}"`} [1]` };
}

function toQuote(found: FoundPassage | undefined): Quote | undefined {
  if (!found) return undefined;
  const { text, source, heading } = found.passage;
  return { text, source: `${source}, "${heading}"` };
}

function compose(question: string, found: Quote | undefined): string {
  const { notice, nothing, source } = texts[/\p{Script=Han}/u.test(question) ? 'zh' : 'en'];
  if (!found) return nothing;
  const quoted = found.text.replace(/^/gm, '> ').replace(/^> $/gm, '>');
  return `${notice}\n\n${quoted}\n\n${source}: ${found.source}`;
}

/** Words with the space before them; Chinese, which has none, sentence by sentence. */
function pieces(text: string): string[] {
  return text.match(/\s*[^\s，。；：！？]+[，。；：！？]?|\s+|[，。；：！？]/g) ?? [text];
}
