/**
 * What it costs a Worker to hold each piece of an answer in JavaScript once: a proxy that reads and writes them, and
 * does nothing else. Whoever filters, counts and counts tokens must do at least that.
 */
import { Hono } from 'hono';

const app = new Hono<{ Bindings: { UPSTREAM: string } }>();
app.post('/v1/chat/completions', async (c) => {
  const { stream } = await c.req.json();
  const answer = await fetch(`${c.env.UPSTREAM}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [], stream }),
    signal: c.req.raw.signal,
  });
  if (!stream) return c.json(await answer.json());
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  return new Response(
    new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    }),
    { headers: { 'content-type': 'text/event-stream' } },
  );
});

export default app;
