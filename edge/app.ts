/** The edge's routes: first the middleware in its order, then the routes. */
import type { Hono } from 'hono';
import { HonoBase } from 'hono/hono-base';
import { RegExpRouter } from 'hono/router/reg-exp-router';
import { BATCH_SCOPE } from '../shared/protocol/batch-protocol.ts';
import { taskPaths, tasks } from '../shared/protocol/task-protocol.ts';
import { type AroundRequestOptions, aroundRequest } from './http/around-request.ts';
import { type RequestContextOptions, requestContext } from './http/auth.ts';
import { type CacheRouteOptions, cacheRoute } from './http/cache-route.ts';
import { chatCompletionsRoute } from './http/chat-completions-route.ts';
import type { EdgeHono } from './http/edge-hono.ts';
import { type HealthRouteOptions, healthRoute } from './http/health-route.ts';
import { type KeysRouteOptions, keysRoute } from './http/keys-route.ts';
import { type MetricsRouteOptions, metricsRoute } from './http/metrics-route.ts';
import { modelsRoute } from './http/models-route.ts';
import { onError } from './http/on-error.ts';
import { onNotFound } from './http/on-not-found.ts';
import { type PageRouteOptions, pageFiles, pageRoute } from './http/page-route.ts';
import { createPromptAnswers, type PromptAnswersOptions } from './http/prompt-answers.ts';
import { createProxyToCore } from './http/proxy-to-core.ts';
import { type ReadyRouteOptions, readyRoute } from './http/ready-route.ts';
import { requireScope } from './http/require-scope.ts';
import { responsesRoute } from './http/responses-route.ts';
import { sessionSocketRoute } from './http/session-socket-route.ts';
import { type SessionsRouteOptions, sessionRoute, sessionsRoute } from './http/sessions-route.ts';
import { type TasksRouteOptions, tasksRoute } from './http/tasks-route.ts';
import { type TokensRouteOptions, tokensRoute } from './http/tokens-route.ts';
import { uiChatRoute } from './http/ui-chat-route.ts';
import { type UserDataRouteOptions, userDataRoute } from './http/user-data-route.ts';
import type { ModelCatalog } from './models/model-catalog.ts';

/** The dependencies of all routes and middleware; each uses those in its own options. */
export type AppParts = AroundRequestOptions &
  RequestContextOptions &
  HealthRouteOptions &
  ReadyRouteOptions &
  MetricsRouteOptions &
  PageRouteOptions &
  TokensRouteOptions &
  PromptAnswersOptions &
  TasksRouteOptions &
  SessionsRouteOptions &
  KeysRouteOptions &
  CacheRouteOptions &
  Pick<UserDataRouteOptions, 'isArchiveOn'> & { catalog: ModelCatalog };

// long: the list of all routes in one place
export function createApp(parts: AppParts): Hono<EdgeHono> {
  // This router supports all of our routes; Hono's default includes a second one for patterns that it does not support.
  const app: Hono<EdgeHono> = new HonoBase<EdgeHono>({ router: new RegExpRouter() });
  const proxyToCore = createProxyToCore(parts);
  const answers = { ...createPromptAnswers(parts), newId: parts.newId };
  const page = pageRoute(parts);
  const tokens = tokensRoute(parts);
  const responses = responsesRoute(answers);
  const session = sessionRoute(parts);
  const userData = userDataRoute({ ...parts, proxyToCore });
  const keys = keysRoute(parts);
  const cache = cacheRoute(parts);
  const uiChat = uiChatRoute(answers);

  app.use(aroundRequest(parts));
  app.get('/healthz', healthRoute(parts));
  app.get('/readyz', readyRoute(parts));
  app.get('/metrics', metricsRoute(parts));
  for (const path of Object.keys(pageFiles)) app.get(path, page.file);
  app.get('/assets/:name', page.asset);
  app.get('/page.json', page.settings(app));

  app.post('/v1/tokens/guest', tokens.guest);
  app.post('/v1/tokens/refresh', tokens.refresh);

  app.use('/v1/*', requestContext(parts));
  app.post('/v1/tokens', tokens.exchange);
  app.get('/v1/models', modelsRoute(parts));
  app.post('/v1/chat/completions', chatCompletionsRoute(answers));
  for (const task of tasks) app.post(`/v1${taskPaths[task]}`, tasksRoute(task, parts));
  app.post('/v1/responses', responses.create);
  app.get('/v1/responses/:id', responses.read);
  app.delete('/v1/responses/:id', responses.remove);
  app.post('/v1/responses/:id/cancel', responses.cancel);
  app.get('/v1/responses/:id/input_items', responses.inputItems);
  app.get('/v1/sessions', sessionsRoute(parts).list);
  app.get('/v1/sessions/:id', session.read);
  app.delete('/v1/sessions/:id', session.remove);
  app.get('/v1/sessions/:id/stream', session.stream);
  app.post('/v1/sessions/:id/stop', session.stop);
  app.post('/v1/sessions/:id/forget', session.forget);
  app.get('/v1/sessions/:id/ws', sessionSocketRoute(parts));

  app.get('/v1/usage', (c) => proxyToCore(c));
  app.post('/v1/feedback', (c) => proxyToCore(c));
  app.get('/v1/conversations', (c) => proxyToCore(c));
  app.patch('/v1/conversations/:id', (c) => proxyToCore(c));
  app.post('/v1/documents', (c) => proxyToCore(c, { isSlow: true }));
  app.get('/v1/documents', (c) => proxyToCore(c, { isSlow: true }));
  app.get('/v1/documents/:id', (c) => proxyToCore(c, { isSlow: true }));
  app.get('/v1/documents/:id/passages/:number', (c) => proxyToCore(c, { isSlow: true }));
  app.delete('/v1/documents/:id', (c) => proxyToCore(c, { isSlow: true }));
  app.get('/v1/memory', (c) => proxyToCore(c));
  app.patch('/v1/memory', (c) => proxyToCore(c));
  app.get('/v1/export', userData.export);
  app.delete('/v1/users/:id', userData.remove);

  app.use('/v1/files/*', requireScope(BATCH_SCOPE));
  app.post('/v1/files', (c) => proxyToCore(c, { createsNew: true, isSlow: true }));
  app.get('/v1/files', (c) => proxyToCore(c, { isSlow: true }));
  app.get('/v1/files/:id', (c) => proxyToCore(c, { isSlow: true }));
  app.get('/v1/files/:id/content', (c) => proxyToCore(c, { isSlow: true }));
  app.delete('/v1/files/:id', (c) => proxyToCore(c, { isSlow: true }));
  app.use('/v1/batches/*', requireScope(BATCH_SCOPE));
  app.post('/v1/batches', (c) => proxyToCore(c, { createsNew: true }));
  app.get('/v1/batches', (c) => proxyToCore(c));
  app.get('/v1/batches/:id', (c) => proxyToCore(c));
  app.post('/v1/batches/:id/cancel', (c) => proxyToCore(c));

  app.use('/v1/keys/*', requireScope('admin'));
  app.get('/v1/keys', keys.list);
  app.post('/v1/keys', keys.create);
  app.delete('/v1/keys/:id', keys.revoke);
  app.use('/v1/cache/*', requireScope('admin'));
  app.delete('/v1/cache', cache.remove);
  app.post('/v1/cache/prepared', cache.prepare);

  app.use('/api/*', requestContext(parts));
  app.post('/api/chat', uiChat.send);
  app.get('/api/chat/:id/stream', uiChat.resume);

  app.onError(onError);
  app.notFound(onNotFound(app));
  return app;
}
