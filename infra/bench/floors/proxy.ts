/** The least that a Worker can do between a client and a model: hand the request on, hand the answer back. */
import { Hono } from 'hono';

const app = new Hono<{ Bindings: { UPSTREAM: string } }>();
app.post('/v1/chat/completions', (c) =>
  fetch(`${c.env.UPSTREAM}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: c.req.raw.body,
    signal: c.req.raw.signal,
  }),
);

export default app;
