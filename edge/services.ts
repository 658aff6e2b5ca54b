/** Constructs all services of the edge; no other file does. They live as long as the isolate. */
import { waitUntil as defer } from 'cloudflare:workers';
import { createSpanExporter } from '../shared/observe/span-exporter.ts';
import type { AppParts } from './app.ts';
import { createAuthenticate } from './auth/authenticate.ts';
import { createKeyDirectory } from './auth/key-directory.ts';
import { createKeySet } from './auth/key-set.ts';
import { createOwnTokens } from './auth/own-tokens.ts';
import { createTokenVerifier } from './auth/token-verifier.ts';
import { withVerifiedTokens } from './auth/verified-tokens.ts';
import type { AnswersParts } from './cache/answers-object.ts';
import { createCache } from './cache/create-cache.ts';
import type { MeaningParts } from './cache/meaning/meaning-object.ts';
import { createAnswerPrompt } from './chat/answer-prompt.ts';
import { createTurnModels } from './chat/turn-models.ts';
import { createTurnPlugins } from './chat/turn-plugins.ts';
import { createArchiveClient } from './core-client/archive-client.ts';
import { createCoreAccess } from './core-client/core-access.ts';
import { createCoreReadiness } from './core-client/core-readiness.ts';
import { createUsageReporter } from './core-client/usage-reporter.ts';
import { type EdgeEnv, parseEdgeEnv } from './env.ts';
import { createPlugins } from './filter/create-plugins.ts';
import { createLimiter } from './limits/create-limiter.ts';
import { createLight } from './models/create-light.ts';
import { createModelCatalog } from './models/model-catalog.ts';
import { newCall } from './models/model-choice.ts';
import { createTokenCounters } from './models/token-counters.ts';
import { setLeastLevel } from './observe/log.ts';
import { createMeasurements } from './observe/measurements.ts';
import { metricsOf } from './observe/metrics-object.ts';
import { createObserver } from './observe/observer.ts';
import { createPluginRecorder } from './plugins/record-plugin.ts';
import { directoryOf } from './session/directory-object.ts';
import { createStateSealer } from './session/sealed-state.ts';
import type { SessionParts } from './session/session-parts.ts';
import { createTurnConversations } from './session/turn-conversations.ts';
import { createRedisPing } from './session/upstash-context-store.ts';

/** The dependencies of the app and of each class of Durable Objects. */
export interface EdgeServices {
  app: AppParts;
  session: SessionParts;
  answers: AnswersParts;
  meaning: MeaningParts;
}

const servicesOfBindings = new WeakMap<EdgeEnv, EdgeServices>();

/** @throws Error that names every fault of the configuration */
export function edgeServices(bindings: EdgeEnv): EdgeServices {
  let services = servicesOfBindings.get(bindings);
  if (!services) {
    services = createEdgeServices(bindings);
    servicesOfBindings.set(bindings, services);
  }
  return services;
}

const now = () => Date.now();
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const newId = () => crypto.randomUUID().replaceAll('-', '');
const send: typeof fetch = (...request) => fetch(...request);

// long: all construction, in the order of the dependencies
function createEdgeServices(bindings: EdgeEnv): EdgeServices {
  const config = parseEdgeEnv(bindings);
  const { jwt, tokenSecret, redis, turnTimeoutMs, sessionTtlMs, window } = config;
  setLeastLevel(config.logLevel);
  const metrics = () => metricsOf(bindings);
  const measurements = createMeasurements({ hand: (samples) => metrics().add(samples), defer, wait });
  const { callCore, core } = createCoreAccess({
    urls: config.coreUrls,
    serviceKey: config.serviceKey,
    onCall: (region, outcome) =>
      measurements.count('edgewise_core_calls_total', { region: String(region), outcome }),
    ...{ fetch: send, now, wait, defer },
  });
  const archive = config.isArchiveOn ? createArchiveClient(callCore, now, newId) : undefined;

  const counters = createTokenCounters(bindings.ASSETS);
  const light = createLight(config.light, bindings.AI, { counters, defer, measurements });
  const lightModel = light?.name;
  const catalog = createModelCatalog({ core, lightModel, now });
  const { priceOf } = catalog;
  const spans =
    config.traces &&
    createSpanExporter({ ...config.traces, service: 'edgewise-edge', fetch: send, defer, wait });
  const observer = createObserver({ measurements, spans, priceOf, now });
  const common = { bindings, measurements, turnTimeoutMs, now, wait, newId, defer };
  const limiter = createLimiter({ ...common, plans: config.plans, redis, priceOf });
  const cache = createCache({
    ...common,
    settings: config.cache,
    meaning: config.meaning,
    resolveModel: catalog.targetOf,
    coreModel: core.model,
  });
  const conversations = createTurnConversations({
    ...common,
    window,
    counters,
    describeModel: catalog.find,
    sealer: config.state && createStateSealer({ ...config.state, ttlMs: sessionTtlMs, now }),
    directoryOf: (owner) => directoryOf(bindings, owner),
    sessionTtlMs,
  });
  const prompts = createAnswerPrompt({
    pluginsOf: createTurnPlugins({
      plugins: createPlugins(config.filter, bindings, now),
      record: createPluginRecorder(measurements),
      knowledgeTenants: config.knowledgeTenants,
      waitUntil: defer,
      now,
    }),
    ...{ conversations, lightModel, cache, limiter, observer, turnTimeoutMs, now },
    models: createTurnModels({ light, core, counters }),
    usage: createUsageReporter({ archive, wait }),
  });

  const keys = createKeyDirectory(callCore, now);
  const findKey = jwt.jwksUrl && createKeySet({ url: jwt.jwksUrl, fetch: send, now, wait });
  const verifyToken = withVerifiedTokens(createTokenVerifier({ jwt, findKey, ownSecret: tokenSecret }), now);
  return {
    app: {
      ...config,
      bodyLimits: config,
      sessionStore: redis ? 'redis' : 'durable-object',
      traceSample: config.traces?.sample,
      coreReadiness: createCoreReadiness(callCore, now, newId),
      pingRedis: redis && createRedisPing(redis),
      writeToStorage: () => metrics().writeToStorage(),
      authenticate: createAuthenticate({ verifyToken, keys, now }),
      ownTokens: tokenSecret && createOwnTokens(tokenSecret, jwt.audience, now),
      ...{ prompts, cache, limiter, callCore, core, keys, catalog, lightModel, observer, measurements },
      ...{ now, newId, random: Math.random },
    },
    session: {
      ...{ answering: prompts, conversations, archive, observer, now, wait, newId, mayStay: keys.mayStay },
      settings: { ...config, redis },
    },
    answers: {
      // A new id per call, so that the core does not return the result of an earlier one.
      openModel: (context, choice) => prompts.openModel({ context, turnId: newId(), choice, place: newCall }),
      settings: { redis, turnTimeoutMs, ...config.cache },
      ...{ now, newId },
    },
    meaning: { delta: config.meaning.delta, now },
  };
}
