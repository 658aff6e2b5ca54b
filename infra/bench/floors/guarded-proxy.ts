/**
 * The least that Edgewise's guards cost: a proxy that does what they do, written by hand for one tenant, one plan and one
 * model, with no layer and nothing to switch. What it leaves out is what would cost more: the cache, sessions, other wires,
 * fallback, and every failure.
 */
import { Hono } from 'hono';
import { readCompiledWords } from '../../../edge/filter/compiled-words.ts';
import { createFolding } from '../../../edge/filter/folding.ts';
import { createMaskingStream, type TextStream } from '../../../edge/filter/masking-stream.ts';
import { WordScanner } from '../../../edge/filter/word-scanner.ts';
import { securityHeaders } from '../../../edge/http/security-headers.ts';
import { decodeSseChunks, type SseMessage } from '../../../shared/stream/sse.ts';
import { compileWords } from '../../local/word-lists/compile-words.ts';
import { parseWordList } from '../../local/word-lists/word-list.ts';

const folding = createFolding({ from: '', to: '' });
const words = readCompiledWords(compileWords(parseWordList('[mask]\nforbidden\nprohibited'), folding));

const openFilter = () => createMaskingStream(new WordScanner(words, folding), () => '***');

function filter(text: string): string {
  const stream = openFilter();
  return stream.push(text) + stream.end();
}

/** Tokens that were verified, and until when. */
const verified = new Map<string, number>();
const left = { requests: 1e9, tokens: 1e12 };
const sums = { requests: 0, seconds: 0, inputTokens: 0, outputTokens: 0 };

interface Asked {
  messages: { role: string; content: string }[];
  stream?: boolean;
}

interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
}

interface Answer {
  model: string;
  choices: [{ message: { content: string }; finish_reason: string }];
  usage: Usage;
}

interface Chunk {
  model: string;
  choices: { delta: { content?: string }; finish_reason: string | null }[];
  usage?: Usage;
}

interface Call {
  requestId: string;
  startMs: number;
  /** It is over, one way or the other. */
  end: (usage?: Usage) => void;
  abort: () => void;
}

const app = new Hono<{ Bindings: { UPSTREAM: string } }>();
app.post('/v1/chat/completions', async (c) => {
  const startMs = Date.now();
  const requestId = crypto.randomUUID();
  const { headers, signal } = c.req.raw;
  const token = headers.get('authorization') ?? '';
  if ((verified.get(token) ?? 0) < startMs) verified.set(token, startMs + 60_000);
  if (Number(headers.get('content-length')) > 1_000_000) return c.text('too large', 413);

  const controller = new AbortController();
  const abort = () => controller.abort();
  signal.addEventListener('abort', abort, { once: true });
  const late = setTimeout(abort, 30_000);
  let estimate = 1024;
  const end = (usage?: Usage) => {
    clearTimeout(late);
    signal.removeEventListener('abort', abort);
    if (!usage) return;
    left.tokens += estimate - usage.prompt_tokens - usage.completion_tokens;
    sums.requests++;
    sums.seconds += (Date.now() - startMs) / 1000;
    sums.inputTokens += usage.prompt_tokens;
    sums.outputTokens += usage.completion_tokens;
  };
  const asked = JSON.parse(await c.req.raw.text()) as Asked;
  for (const message of asked.messages) {
    message.content = filter(message.content);
    estimate += Math.ceil(message.content.length / 4);
  }
  if (left.requests < 1 || left.tokens < estimate) return c.text('limit', 429);
  left.requests--;
  left.tokens -= estimate;
  const isStream = asked.stream === true;
  const response = await fetch(`${c.env.UPSTREAM}/chat/completions`, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      'content-type': 'application/json',
      accept: isStream ? 'text/event-stream' : 'application/json',
    },
    body: JSON.stringify({ ...asked, model: 'bench-1', stream: isStream }),
    signal: controller.signal,
  });
  if (!response.ok) return c.text('upstream', 502);
  const call: Call = { requestId, startMs, end, abort };
  return isStream ? answerStream(call, response) : answerWhole(call, response);
});

async function answerWhole({ requestId, startMs, end }: Call, response: Response): Promise<Response> {
  const answer = JSON.parse(await response.text()) as Answer;
  const [{ message, finish_reason }] = answer.choices;
  const { prompt_tokens, completion_tokens } = answer.usage;
  end(answer.usage);
  const body = {
    id: `chatcmpl-${requestId}`,
    object: 'chat.completion',
    created: Math.floor(startMs / 1000),
    model: answer.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: filter(message.content), refusal: null },
        logprobs: null,
        finish_reason,
      },
    ],
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
  };
  const headers = answerHeaders(requestId, startMs, answer.model, 'application/json');
  return new Response(JSON.stringify(body), { headers });
}

/** Its status waits for the first word, as Edgewise's does: until then a failure has a status of its own. */
async function answerStream(call: Call, { body }: Response): Promise<Response> {
  const messages = decodeSseChunks((body as ReadableStream<Uint8Array>).getReader());
  const relay = new StreamRelay(call);
  const nextText = async (): Promise<string | undefined> => {
    for (;;) {
      const { done, value } = await messages.next();
      if (done) return undefined;
      const text = relay.push(value);
      if (text !== '') return text;
    }
  };
  let first = await nextText();
  const utf8 = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const text = first ?? (await nextText());
        first = undefined;
        if (text === undefined) controller.close();
        else controller.enqueue(utf8.encode(text));
      },
      cancel: call.abort,
    },
    { highWaterMark: 0 },
  );
  const headers = answerHeaders(
    call.requestId,
    call.startMs,
    relay.model,
    'text/event-stream; charset=utf-8',
  );
  return new Response(stream, { headers });
}

/** One streamed answer's events, filtered. */
class StreamRelay {
  model = '';
  readonly #call: Call;
  readonly #filter: TextStream = openFilter();

  constructor(call: Call) {
    this.#call = call;
  }

  push(messages: readonly SseMessage[]): string {
    let out = '';
    for (const { data } of messages) {
      if (data === '[DONE]') {
        out += 'data: [DONE]\n\n';
        continue;
      }
      const { model, choices, usage } = JSON.parse(data) as Chunk;
      this.model = model;
      if (usage) this.#call.end(usage);
      for (const { delta, finish_reason } of choices) {
        let content = delta.content === undefined ? '' : this.#filter.push(delta.content);
        if (finish_reason !== null) content += this.#filter.end();
        if (content === '' && finish_reason === null) continue;
        out += `data: ${JSON.stringify(this.#chunk(content, finish_reason))}\n\n`;
      }
    }
    return out;
  }

  #chunk(content: string, finishReason: string | null): object {
    const { requestId, startMs } = this.#call;
    return {
      id: `chatcmpl-${requestId}`,
      object: 'chat.completion.chunk',
      created: Math.floor(startMs / 1000),
      model: this.model,
      choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: finishReason }],
    };
  }
}

function answerHeaders(requestId: string, startMs: number, model: string, type: string): HeadersInit {
  return {
    ...securityHeaders,
    'x-request-id': requestId,
    'x-edgewise-route': 'edge; reason="asked by name"',
    'x-edgewise-model': model,
    'x-edgewise-cache': 'bypass;reason=no-store',
    'x-ratelimit-limit-requests': '1000000000',
    'x-ratelimit-remaining-requests': String(left.requests),
    'x-ratelimit-reset-requests': '1ms',
    'x-ratelimit-limit-tokens': '1000000000000',
    'x-ratelimit-remaining-tokens': String(left.tokens),
    'x-ratelimit-reset-tokens': '1ms',
    'ratelimit-policy': '"requests";q=1000000000;w=60, "tokens";q=1000000000000;w=60',
    ratelimit: `"requests";r=${left.requests};t=1, "tokens";r=${left.tokens};t=1`,
    'server-timing': `model;dur=${Date.now() - startMs}`,
    'content-type': type,
  };
}

export default app;
