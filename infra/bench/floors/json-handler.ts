/** The least that a Worker can do for a prompt: read JSON, answer JSON. As many bytes as a cached answer has. */
import { Hono } from 'hono';

const content = Array.from({ length: 100 }, (_, at) => `${at === 0 ? '' : ' '}word${at % 10}`).join('');
const answer = {
  id: 'chatcmpl-floor',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'bench-1',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content, refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 12, completion_tokens: 100, total_tokens: 112 },
};

const app = new Hono();
app.post('/v1/chat/completions', async (c) => {
  await c.req.json();
  return c.json(answer);
});

export default app;
