/** The only place at the edge that constructs. Everything here lives as long as the isolate, or is made per object. */
import { waitUntil } from 'cloudflare:workers';
import { AppError } from '../shared/errors.ts';
import type { ChatEvent, ChatModel } from '../shared/model/chat-model.ts';
import { createSpanExporter } from '../shared/observe/span-exporter.ts';
import type { RequestContext } from '../shared/protocol/request-context.ts';
import { type Authenticate, createAuthenticate } from './auth/authenticate.ts';
import { createKeyDirectory, type KeyDirectory } from './auth/key-directory.ts';
import { createKeySet } from './auth/key-set.ts';
import { createOwnTokens, type OwnTokens } from './auth/own-tokens.ts';
import { createTokenVerifier, type TokenVerifier } from './auth/token-verifier.ts';
import { withVerifiedTokens } from './auth/verified-tokens.ts';
import { type AnswerCache, createAnswerCache } from './cache/answer-cache.ts';
import { answersOf } from './cache/answers-object.ts';
import { createIsolateAnswers } from './cache/isolate-answers.ts';
import { createLocationAnswers } from './cache/location-answers.ts';
import { createOpenAIEmbed, createWorkersAIEmbed, type Embed } from './cache/meaning/embed.ts';
import { createModelJudge, judgeByAgreement } from './cache/meaning/judge.ts';
import { meaningOf } from './cache/meaning/meaning-object.ts';
import { createSemanticCache } from './cache/meaning/semantic-cache.ts';
import type { TurnModels } from './chat/answer-turn.ts';
import type { ModelChoice } from './chat/choose-model.ts';
import { createLight } from './chat/create-light.ts';
import { withKnowledgeDefault } from './chat/knowledge-default.ts';
import { createLightLadder } from './chat/light-ladder.ts';
import { createTurnPlugins, type TurnPlugins } from './chat/turn-plugins.ts';
import type { EdgeConfig, EmbeddingsConfig } from './config.ts';
import { type ArchiveClient, createArchiveClient } from './core-client/archive-client.ts';
import { type CoreCall, createCoreCall } from './core-client/core-call.ts';
import { type CoreClient, createCoreClient } from './core-client/core-client.ts';
import { createCoreRegions } from './core-client/core-regions.ts';
import { createUsageReporter, type UsageReporter } from './core-client/usage-reporter.ts';
import { type EdgeBindings, parseEdgeEnv } from './env.ts';
import { createPlugins } from './filter/create-plugins.ts';
import { createLeasedLimits } from './limits/leased-limits.ts';
import { type LimitedCall, limitCall, unlimitedCall } from './limits/limit-call.ts';
import { createMeasuredLimits } from './limits/measured-limits.ts';
import { createMeterLimits } from './limits/meter-object.ts';
import { subjectsOf } from './limits/plans.ts';
import { createUpstashLimits } from './limits/upstash-limits.ts';
import { withLimits } from './limits/with-limits.ts';
import { createModelCatalog, type ModelCatalog } from './models/model-catalog.ts';
import { createTokenCounters, type TokenCounters } from './models/token-counters.ts';
import { withTrace } from './models/with-trace.ts';
import { setLeastLevel } from './observe/log.ts';
import { createMeasurements, type Measurements } from './observe/measurements.ts';
import { metricsOf } from './observe/metrics-object.ts';
import { createObserver, type Observer } from './observe/observer.ts';
import { createPluginRecorder } from './observe/record-plugin.ts';
import { createStateSealer, type StateSealer } from './session/sealed-state.ts';

export interface EdgeServices {
  config: EdgeConfig;
  authenticate: Authenticate;
  keys: KeyDirectory;
  /** Issues tokens, where there is a secret to sign them with. */
  ownTokens: OwnTokens | undefined;
  callCore: CoreCall;
  core: CoreClient;
  /** Where turns are kept for good, unless that is switched off. */
  archive: ArchiveClient | undefined;
  /** Is told what happens, for metrics, logs and traces. */
  observer: Observer;
  /** The part of the traces that begin here and are told; none where traces are not. */
  traceSample: number | undefined;
  random: () => number;
  /** What requests that stand alone use goes here. */
  usage: UsageReporter;
  catalog: ModelCatalog;
  counters: TokenCounters;
  /** Name of the edge's light model, when one is configured. */
  lightModel: string | undefined;
  /** For conversations in the client's hands; none without keys. */
  sealer: StateSealer | undefined;
  /** None when it is switched off. */
  cache: AnswerCache | undefined;
  /** What looks at prompts and answers, for one request. */
  pluginsFor(context: RequestContext): TurnPlugins;
  /** The models that answer one request that stands alone. */
  modelsFor(context: RequestContext, turnId: string): TurnModels;
  /** The models that answer one turn of a session: a heavy one is owned by the core. */
  sessionModelsFor(context: RequestContext, turnId: string, background?: boolean): TurnModels;
  /** Holds the caller's limits to a call that is no chat. */
  limitCall: Limiter['call'];
  now: () => number;
  wait: (ms: number) => Promise<void>;
  newId: () => string;
}

const servicesOfBindings = new WeakMap<EdgeBindings, EdgeServices>();

export function edgeServices(bindings: EdgeBindings): EdgeServices {
  let services = servicesOfBindings.get(bindings);
  if (!services) {
    services = createEdgeServices(bindings);
    servicesOfBindings.set(bindings, services);
  }
  return services;
}

function createEdgeServices(bindings: EdgeBindings): EdgeServices {
  const config = parseEdgeEnv(bindings);
  setLeastLevel(config.logLevel);
  const now = () => Date.now();
  const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const newId = () => crypto.randomUUID().replaceAll('-', '');
  const measurements = createMeasurements({
    hand: (samples) => metricsOf(bindings).add(samples),
    defer: waitUntil,
    wait,
  });
  const regions = createCoreRegions({
    urls: config.coreUrls,
    fetch: (...request) => fetch(...request),
    now,
    defer: waitUntil,
    onCall: (region, outcome) =>
      measurements.count('edgewise_core_calls_total', { region: String(region), outcome }),
  });
  const coreCall = { regions, serviceKey: config.serviceKey, now };
  const callCore = createCoreCall(coreCall);
  const core = createCoreClient({ ...coreCall, wait });
  const keys = createKeyDirectory(callCore, now);
  const counters = createTokenCounters(bindings.ASSETS);
  const light = createLight(config, bindings, { counters, defer: waitUntil });
  const lightFor = ({ traceparent }: RequestContext) => withTrace(required(light), traceparent);
  const catalog = createModelCatalog({ core, lightModel: light?.name, now });
  const plugins = createPlugins(config, bindings, now);
  const recordPlugin = createPluginRecorder(measurements);
  const archive = config.isArchiveOn ? createArchiveClient(callCore, now, newId) : undefined;
  const limiter = createLimiter(config, bindings, { catalog, measurements, now, newId });
  return {
    config,
    authenticate: createAuthenticate({ verifyToken: createVerifier(config, now, wait), keys, now }),
    keys,
    ownTokens: config.tokenSecret && createOwnTokens(config.tokenSecret, config.jwt.audience, now),
    callCore,
    archive,
    usage: createUsageReporter({ archive, wait }),
    observer: createObserver({
      measurements,
      spans:
        config.traces &&
        createSpanExporter({
          ...config.traces,
          service: 'edgewise-edge',
          fetch: (...request) => fetch(...request),
          defer: waitUntil,
          wait,
        }),
      priceOf: async (context, model) => (await catalog.find(context, model)).edgewise.price,
      now,
    }),
    traceSample: config.traces?.sample,
    random: Math.random,
    core,
    catalog,
    cache: createCache(config, bindings, { catalog, core, now, wait, newId }),
    counters,
    lightModel: light?.name,
    sealer: config.state && createStateSealer({ ...config.state, ttlMs: config.sessionTtlMs, now }),
    pluginsFor(context) {
      const ofTurn = createTurnPlugins(plugins, context, { record: recordPlugin, waitUntil });
      return names(config.knowledgeTenants, context.tenant) ? withKnowledgeDefault(ofTurn) : ofTurn;
    },
    modelsFor: (context, turnId) => ({
      lightModel: light?.name,
      open: (choice) => {
        const heavy = core.model(context, turnId);
        const isLight = choice.route.place === 'edge';
        return limiter.model(isLight ? createLightLadder(lightFor(context), heavy, choice) : heavy, {
          context,
          turnId,
          choice,
          isReserved: false,
        });
      },
    }),
    sessionModelsFor: (context, turnId, background) => ({
      lightModel: light?.name,
      open: (choice, place) => {
        const asked = { context, turnId, choice, isReserved: !place.isNew };
        if (choice.route.place === 'core')
          return limiter.model(core.ownedModel(context, turnId, { ...place, background }), asked);
        if (!place.isNew) return limiter.model(lostModel, asked);
        return limiter.model(
          createLightLadder(lightFor(context), core.model(context, turnId), choice),
          asked,
        );
      },
    }),
    limitCall: limiter.call,
    now,
    wait,
    newId,
  };
}

interface ModelCall {
  context: RequestContext;
  turnId: string;
  choice: ModelChoice;
  /** It goes on after a restart. */
  isReserved: boolean;
}

/** The caller's limits on what is asked of models. */
interface Limiter {
  model(model: ChatModel, call: ModelCall): ChatModel;
  /** @throws AppError as `limitCall` */
  call(context: RequestContext, call: { model: string; tokens: number }): Promise<LimitedCall>;
}

function createLimiter(
  { plans, redis, turnTimeoutMs }: EdgeConfig,
  bindings: EdgeBindings,
  {
    catalog,
    measurements,
    now,
    newId,
  }: Pick<EdgeServices, 'catalog' | 'now' | 'newId'> & {
    measurements: Measurements;
  },
): Limiter {
  if (!plans) return { model: (model) => model, call: async () => unlimitedCall };
  const store = redis ? createUpstashLimits(redis) : createMeterLimits(bindings, now);
  const leased = createLeasedLimits({ limits: store, defer: waitUntil, now, newId });
  const measured = createMeasuredLimits(leased, measurements);
  const of = (context: RequestContext, id: string, model: string) => ({
    limits: measured(context.plan),
    id,
    tenant: context.tenant,
    subjects: subjectsOf(plans, context),
    price: async () => {
      const found = await catalog.find(context, model).catch(() => undefined);
      return found?.edgewise.price ?? { input: 0, output: 0 };
    },
    holdMs: turnTimeoutMs,
    defer: waitUntil,
  });
  return {
    model: (model, { context, turnId, choice, isReserved }) =>
      withLimits(model, { ...of(context, turnId, choice.model), isReserved }),
    call: (context, { model, tokens }) => limitCall(tokens, of(context, newId(), model)),
  };
}

function createVerifier(
  { jwt, tokenSecret }: EdgeConfig,
  now: EdgeServices['now'],
  wait: EdgeServices['wait'],
): TokenVerifier {
  const ask: typeof fetch = (...request) => fetch(...request);
  const findKey = jwt.jwksUrl && createKeySet({ url: jwt.jwksUrl, fetch: ask, now, wait });
  return withVerifiedTokens(createTokenVerifier({ jwt, findKey, ownSecret: tokenSecret }), now);
}

function createCache(
  { cache, meaning }: EdgeConfig,
  bindings: EdgeBindings,
  { catalog, core, now, wait, newId }: Pick<EdgeServices, 'catalog' | 'core' | 'now' | 'wait' | 'newId'>,
): AnswerCache | undefined {
  if (!cache.isOn) return undefined;
  return createAnswerCache({
    isolate: createIsolateAnswers(cache.isolateBytes, now),
    location: createLocationAnswers(() => caches.default, now),
    answersOf: (tenant, shard) => answersOf(bindings, tenant, shard),
    resolveModel: async (context, name) => {
      const { id, edgewise } = await catalog.find(context, name);
      return edgewise.targets?.[0] ?? id;
    },
    isShared: (tenant) => names(cache.sharedTenants, tenant),
    semanticCache: createSemanticCache({
      isOn: (tenant) => names(meaning.tenants, tenant),
      meaningOf: (tenant) => meaningOf(bindings, tenant),
      embed: createEmbed(meaning.embeddings, bindings),
      judgeFor: ({ context }) => {
        const { judgeModel } = meaning;
        if (judgeModel === undefined) return judgeByAgreement;
        return createModelJudge(judgeModel, () => core.model(context, newId()), newId);
      },
    }),
    policy: cache.policy,
    pace: { charsPerSecond: cache.charsPerSecond, wait },
    now,
  });
}

/** Whether a list of tenants names one; `*` names all. */
function names(tenants: readonly string[], tenant: string): boolean {
  return tenants.includes('*') || tenants.includes(tenant);
}

function createEmbed(config: EmbeddingsConfig | undefined, bindings: EdgeBindings): Embed | undefined {
  if (!config) return undefined;
  return config.kind === 'workers-ai'
    ? createWorkersAIEmbed(bindings.AI as unknown as Parameters<typeof createWorkersAIEmbed>[0], config.model)
    : createOpenAIEmbed({ ...config, fetch: (...request) => fetch(...request) });
}

/** A light answer lives in one object's memory: when that is gone, what is left of the answer is all there will be. */
const lostModel: ChatModel = {
  name: 'lost',
  stream: () =>
    new ReadableStream<ChatEvent>({
      start(controller) {
        controller.enqueue({ type: 'error', error: new AppError('generation_lost').toInfo() });
        controller.close();
      },
    }),
};

function required(light: ChatModel | undefined): ChatModel {
  if (!light)
    throw new AppError('internal_error', { cause: 'the router chose a light model where there is none' });
  return light;
}
