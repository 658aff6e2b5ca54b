/** The core's map: the guard, then the routes. */
import { Hono } from 'hono';
import { archiveRoute } from './http/archive-route.ts';
import { batchesRoute } from './http/batches-route.ts';
import { conversationsRoute } from './http/conversations-route.ts';
import type { CoreHono } from './http/core-hono.ts';
import { documentsRoute } from './http/documents-route.ts';
import { feedbackRoute } from './http/feedback-route.ts';
import { filesRoute } from './http/files-route.ts';
import { generationsRoute } from './http/generations-route.ts';
import { healthRoute } from './http/health-route.ts';
import { keysRoute } from './http/keys-route.ts';
import { memoryRoute } from './http/memory-route.ts';
import { metricsRoute } from './http/metrics-route.ts';
import { modelsRoute } from './http/models-route.ts';
import { onError, onNotFound } from './http/on-error.ts';
import { serviceAuth } from './http/service-auth.ts';
import { tasksRoute } from './http/tasks-route.ts';
import { usageRoute } from './http/usage-route.ts';
import { userDataRoute } from './http/user-data-route.ts';
import type { CoreServices } from './services.ts';

export function createApp(services: CoreServices): Hono<CoreHono> {
  const app = new Hono<CoreHono>();
  const { start, events, cancel } = generationsRoute(services);
  const keys = keysRoute(services);
  const files = filesRoute(services);
  const archive = archiveRoute(services);
  const batches = batchesRoute(services);
  const conversations = conversationsRoute(services);
  const documents = documentsRoute(services);
  const memory = memoryRoute(services);
  const userData = userDataRoute(services);

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
  app.post('/v1/archive/turns', archive.keep);
  app.get('/v1/archive/sessions/:id', archive.session);
  app.delete('/v1/archive/sessions/:id', archive.remove);
  app.delete('/v1/archive/sessions/:id/turns/:turn', archive.removeTurn);
  app.get('/v1/conversations', conversations.list);
  app.patch('/v1/conversations/:id', conversations.rename);
  app.post('/v1/documents', documents.create);
  app.get('/v1/documents', documents.list);
  app.get('/v1/documents/:id', documents.read);
  app.get('/v1/documents/:id/passages/:number', documents.passage);
  app.delete('/v1/documents/:id', documents.remove);
  app.get('/v1/memory', memory.read);
  app.patch('/v1/memory', memory.change);
  app.get('/v1/export', userData.export);
  app.delete('/v1/users/:id', userData.remove);
  app.get('/v1/usage', usageRoute(services));
  app.post('/v1/feedback', feedbackRoute(services));
  app.post('/v1/keys', keys.create);
  app.get('/v1/keys', keys.list);
  app.post('/v1/keys/use', keys.use);
  app.delete('/v1/keys/:id', keys.revoke);

  app.onError(onError);
  app.notFound(onNotFound);
  return app;
}
