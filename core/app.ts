/** The core's map: the guard, then the routes. */
import { Hono } from 'hono';
import { batchesRoute } from './http/batches-route.ts';
import type { CoreHono } from './http/core-hono.ts';
import { filesRoute } from './http/files-route.ts';
import { generationsRoute } from './http/generations-route.ts';
import { healthRoute } from './http/health-route.ts';
import { keysRoute } from './http/keys-route.ts';
import { metricsRoute } from './http/metrics-route.ts';
import { modelsRoute } from './http/models-route.ts';
import { onError, onNotFound } from './http/on-error.ts';
import { serviceAuth } from './http/service-auth.ts';
import { tasksRoute } from './http/tasks-route.ts';
import type { CoreServices } from './services.ts';

export function createApp(services: CoreServices): Hono<CoreHono> {
  const app = new Hono<CoreHono>();
  const { start, events, cancel } = generationsRoute(services);
  const keys = keysRoute(services);
  const files = filesRoute(services);
  const batches = batchesRoute(services);

  app.get('/healthz', healthRoute(services));
  app.get('/metrics', metricsRoute(services));

  app.use('/v1/*', serviceAuth(services));
  app.get('/v1/models', modelsRoute(services));
  app.post('/v1/generations', start);
  app.get('/v1/generations/:id/events', events);
  app.post('/v1/generations/:id/cancel', cancel);
  app.post('/v1/tasks/:task', tasksRoute(services));
  app.post('/v1/files', files.create);
  app.get('/v1/files', files.list);
  app.get('/v1/files/:id', files.read);
  app.get('/v1/files/:id/content', files.content);
  app.delete('/v1/files/:id', files.remove);
  app.post('/v1/batches', batches.create);
  app.get('/v1/batches', batches.list);
  app.get('/v1/batches/:id', batches.read);
  app.post('/v1/batches/:id/cancel', batches.cancel);
  app.post('/v1/keys', keys.create);
  app.get('/v1/keys', keys.list);
  app.post('/v1/keys/use', keys.use);
  app.delete('/v1/keys/:id', keys.revoke);

  app.onError(onError);
  app.notFound(onNotFound);
  return app;
}
