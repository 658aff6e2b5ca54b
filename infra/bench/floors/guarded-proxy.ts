/**
 * The least that Edgewise's guards cost for a whole answer: a proxy that does what they do in one function written by
 * hand, for one tenant, one plan and one model, with no layer and nothing to switch. What it leaves out is what would
 * cost more: the cache, sessions, other wires, fallback, and every failure.
 */
import { Hono } from 'hono';
import { readCompiledWords } from '../../../edge/filter/compiled-words.ts';
import { createFolding } from '../../../edge/filter/folding.ts';
import { createMaskingStream } from '../../../edge/filter/masking-stream.ts';
import { WordScanner } from '../../../edge/filter/word-scanner.ts';
import { securityHeaders } from '../../../edge/http/security-headers.ts';
import { compileWords } from '../../policy/compile-words.ts';
import { parseWordList } from '../../policy/word-list.ts';

const folding = createFolding({ from: '', to: '' });
const words = readCompiledWords(compileWords(parseWordList('[mask]\nforbidden\nprohibited'), folding));

function filter(text: string): string {
  const stream = createMaskingStream(new WordScanner(words, folding), () => '***');
  return stream.push(text) + stream.end();
}

/** Tokens that were verified, and until when. */
const verified = new Map<string, number>();
const left = { requests: 1e9, tokens: 1e12 };
const sums = { requests: 0, seconds: 0, inputTokens: 0, outputTokens: 0 };

interface Asked {
  messages: { role: string; content: string }[];
}

interface Answer {
  model: string;
  choices: [{ message: { content: string }; finish_reason: string }];
  usage: { prompt_tokens: number; completion_tokens: number };
}

const app = new Hono<{ Bindings: { UPSTREAM: string } }>();
app.post('/v1/chat/completions', async (c) => {
  const startMs = Date.now();
  const requestId = crypto.randomUUID();
  const { headers, signal } = c.req.raw;
  const token = headers.get('authorization') ?? '';
  if ((verified.get(token) ?? 0) < startMs) verified.set(token, startMs + 60_000);
  if (Number(headers.get('content-length')) > 1_000_000) return c.text('too large', 413);

  const call = new AbortController();
  const abort = () => call.abort();
  signal.addEventListener('abort', abort, { once: true });
  const late = setTimeout(abort, 30_000);
  try {
    const asked = JSON.parse(await c.req.raw.text()) as Asked;
    let estimate = 1024;
    for (const message of asked.messages) {
      message.content = filter(message.content);
      estimate += Math.ceil(message.content.length / 4);
    }
    if (left.requests < 1 || left.tokens < estimate) return c.text('limit', 429);
    left.requests--;
    left.tokens -= estimate;
    const response = await fetch(`${c.env.UPSTREAM}/chat/completions`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ ...asked, model: 'bench-1', stream: false }),
      signal: call.signal,
    });
    if (!response.ok) return c.text('upstream', 502);
    const answer = JSON.parse(await response.text()) as Answer;
    const [{ message, finish_reason }] = answer.choices;
    const { prompt_tokens, completion_tokens } = answer.usage;
    left.tokens += estimate - prompt_tokens - completion_tokens;
    sums.requests++;
    sums.seconds += (Date.now() - startMs) / 1000;
    sums.inputTokens += prompt_tokens;
    sums.outputTokens += completion_tokens;
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
    return new Response(JSON.stringify(body), {
      headers: {
        ...securityHeaders,
        'x-request-id': requestId,
        'x-edgewise-route': 'edge; reason="asked by name"',
        'x-edgewise-model': answer.model,
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
        'content-type': 'application/json',
      },
    });
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', abort);
  }
});

export default app;
