/** The Worker's entry. Only this file connects the classes of Durable Objects with the services. */
import type { Hono } from 'hono';
import { createApp } from './app.ts';
import { AnswersObject as Answers } from './cache/answers-object.ts';
import { MeaningObject as Meaning } from './cache/meaning/meaning-object.ts';
import type { EdgeEnv } from './env.ts';
import type { EdgeHono } from './http/edge-hono.ts';
import { toStartErrorResponse } from './http/on-error.ts';
import { edgeServices } from './services.ts';
import { SessionObject as Session } from './session/session-object.ts';

export { MeterObject } from './limits/meter-object.ts';
export { MetricsObject } from './observe/metrics-object.ts';
export { DirectoryObject } from './session/directory-object.ts';

export class SessionObject extends Session {
  constructor(state: DurableObjectState, bindings: EdgeEnv) {
    super(state, bindings, edgeServices(bindings).session);
  }
}

export class AnswersObject extends Answers {
  constructor(state: DurableObjectState, bindings: EdgeEnv) {
    super(state, bindings, edgeServices(bindings).answers);
  }
}

export class MeaningObject extends Meaning {
  constructor(state: DurableObjectState, bindings: EdgeEnv) {
    super(state, bindings, edgeServices(bindings).meaning);
  }
}

const appOfBindings = new WeakMap<EdgeEnv, Hono<EdgeHono>>();

export default {
  fetch(request, bindings, context) {
    let app = appOfBindings.get(bindings);
    try {
      app ??= createApp(edgeServices(bindings).app);
    } catch (error) {
      return toStartErrorResponse(error);
    }
    appOfBindings.set(bindings, app);
    return app.fetch(request, bindings, context);
  },
} satisfies ExportedHandler<EdgeEnv>;
