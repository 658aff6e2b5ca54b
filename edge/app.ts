/** The edge's map: the guards in their order, then the routes. */
import { Hono } from 'hono';
import { BATCH_SCOPE } from '../shared/protocol/batch-protocol.ts';
import { taskPaths, tasks } from '../shared/protocol/task-protocol.ts';
import { aroundRequest } from './http/around-request.ts';
import { requestContext } from './http/auth.ts';
import { cacheRoute } from './http/cache-route.ts';
import { chatCompletionsRoute } from './http/chat-completions-route.ts';
import type { EdgeHono } from './http/edge-hono.ts';
import { healthRoute } from './http/health-route.ts';
import { keysRoute } from './http/keys-route.ts';
import { metricsRoute } from './http/metrics-route.ts';
import { modelsRoute } from './http/models-route.ts';
import { onError } from './http/on-error.ts';
import { onNotFound } from './http/on-not-found.ts';
import { pageFiles, pageRoute } from './http/page-route.ts';
import { proxyToCore } from './http/proxy-to-core.ts';
import { requireScope } from './http/require-scope.ts';
import { responsesRoute } from './http/responses-route.ts';
import { sessionSocketRoute } from './http/session-socket-route.ts';
import { sessionRoute, sessionsRoute } from './http/sessions-route.ts';
import { tasksRoute } from './http/tasks-route.ts';
import { tokensRoute } from './http/tokens-route.ts';
import { uiChatRoute } from './http/ui-chat-route.ts';
import { userDataRoute } from './http/user-data-route.ts';

export function createApp(): Hono<EdgeHono> {
  const app = new Hono<EdgeHono>();

  app.use(aroundRequest());
  app.get('/healthz', healthRoute);
  app.get('/metrics', metricsRoute);
  for (const path of Object.keys(pageFiles)) app.get(path, pageRoute.file);
  app.get('/assets/:name', pageRoute.asset);
  app.get('/page.json', pageRoute.settings(app));

  app.post('/v1/tokens/guest', tokensRoute.guest);
  app.post('/v1/tokens/refresh', tokensRoute.refresh);

  app.use('/v1/*', requestContext());
  app.post('/v1/tokens', tokensRoute.exchange);
  app.get('/v1/models', modelsRoute);
  app.post('/v1/chat/completions', chatCompletionsRoute);
  for (const task of tasks) app.post(`/v1${taskPaths[task]}`, tasksRoute(task));
  app.post('/v1/responses', responsesRoute.create);
  app.get('/v1/responses/:id', responsesRoute.read);
  app.delete('/v1/responses/:id', responsesRoute.remove);
  app.post('/v1/responses/:id/cancel', responsesRoute.cancel);
  app.get('/v1/responses/:id/input_items', responsesRoute.inputItems);
  app.get('/v1/sessions', sessionsRoute.list);
  app.get('/v1/sessions/:id', sessionRoute.read);
  app.delete('/v1/sessions/:id', sessionRoute.remove);
  app.get('/v1/sessions/:id/stream', sessionRoute.stream);
  app.post('/v1/sessions/:id/stop', sessionRoute.stop);
  app.post('/v1/sessions/:id/forget', sessionRoute.forget);
  app.get('/v1/sessions/:id/ws', sessionSocketRoute);

  app.get('/v1/usage', proxyToCore);
  app.post('/v1/feedback', proxyToCore);
  app.get('/v1/conversations', proxyToCore);
  app.patch('/v1/conversations/:id', proxyToCore);
  app.post('/v1/documents', proxyToCore);
  app.get('/v1/documents', proxyToCore);
  app.get('/v1/documents/:id', proxyToCore);
  app.get('/v1/documents/:id/passages/:number', proxyToCore);
  app.delete('/v1/documents/:id', proxyToCore);
  app.get('/v1/memory', proxyToCore);
  app.patch('/v1/memory', proxyToCore);
  app.get('/v1/export', userDataRoute.export);
  app.delete('/v1/users/:id', userDataRoute.remove);

  app.use('/v1/files/*', requireScope(BATCH_SCOPE));
  app.post('/v1/files', proxyToCore);
  app.get('/v1/files', proxyToCore);
  app.get('/v1/files/:id', proxyToCore);
  app.get('/v1/files/:id/content', proxyToCore);
  app.delete('/v1/files/:id', proxyToCore);
  app.use('/v1/batches/*', requireScope(BATCH_SCOPE));
  app.post('/v1/batches', proxyToCore);
  app.get('/v1/batches', proxyToCore);
  app.get('/v1/batches/:id', proxyToCore);
  app.post('/v1/batches/:id/cancel', proxyToCore);

  app.use('/v1/keys/*', requireScope('admin'));
  app.get('/v1/keys', keysRoute.list);
  app.post('/v1/keys', keysRoute.create);
  app.delete('/v1/keys/:id', keysRoute.revoke);
  app.use('/v1/cache/*', requireScope('admin'));
  app.delete('/v1/cache', cacheRoute.remove);
  app.post('/v1/cache/prepared', cacheRoute.prepare);

  app.use('/api/*', requestContext());
  app.post('/api/chat', uiChatRoute.send);
  app.get('/api/chat/:id/stream', uiChatRoute.resume);

  app.onError(onError);
  app.notFound(onNotFound(app));
  return app;
}
