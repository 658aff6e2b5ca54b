/**
 * Which models there are and how to call them. The only place that joins an address with a key. Pure: made
 * anew from a models file, the environment and what was discovered; `live-registry.ts` keeps the current one.
 */
import type { ChatModel } from '../../shared/chat-model.ts';
import { AppError } from '../../shared/errors.ts';
import type { ModelInfo, TokenEncoding } from '../../shared/generation-protocol.ts';
import { tokenEncodingFor } from '../../shared/token-count.ts';
import { defaultTimeLimits, type TimeLimits } from '../../shared/with-time-limits.ts';
import type { Upstream } from '../providers/openai-compatible.ts';
import type { DiscoveredModel, Environment } from './discover.ts';
import type { ModelSpec, ModelsFile, ProviderSpec } from './models-file.ts';

/** A model that can be called. */
export interface Target {
  name: string;
  provider: string;
  upstream: Upstream;
  upstreamModel: string;
  contextLength: number;
  encoding: TokenEncoding;
  timeLimits: TimeLimits;
  /** US dollars per million tokens, where the file says it. */
  price?: { input: number; output: number };
  reason: string;
}

export interface RegistryOptions {
  file: ModelsFile;
  env: Environment;
  discovered: DiscoveredModel[];
  /** Makes a model that is called at an address. */
  createModel: (target: Target) => ChatModel;
  /** Stands last in every alias; always there. */
  extractive: ChatModel;
}

export interface Registry {
  /** The model that answers for a name or an alias. @throws AppError `model_not_found` */
  resolve(name: string): ChatModel;
  /** Aliases first, then models. */
  list(): ModelInfo[];
}

const EXTRACTIVE_CONTEXT_LENGTH = 8192;
const NO_MODEL = 'no language model is configured; answers are quoted from the knowledge base';

export function createRegistry({
  file,
  env,
  discovered,
  createModel,
  extractive,
}: RegistryOptions): Registry {
  const targets = new Map<string, Target>();
  for (const found of discovered) targets.set(found.name, toDiscoveredTarget(found));
  for (const [name, spec] of Object.entries(file.models)) {
    const target = toTarget(name, spec, file.providers[spec.provider], env);
    if (target) targets.set(name, target);
  }
  const models = new Map<string, ChatModel>();
  for (const target of targets.values()) models.set(target.name, createModel(target));
  models.set(extractive.name, extractive);

  const preferred = discovered.filter((found) => found.preferred).map(({ name }) => name);
  const others = discovered.filter((found) => !found.preferred).map(({ name }) => name);
  const aliases = new Map<string, string[]>();
  for (const alias of new Set(['auto', 'smart', 'fast', ...Object.keys(file.aliases)])) {
    const listed = file.aliases[alias] ?? file.aliases.smart ?? [];
    const names = [...preferred, ...listed, ...others].filter((name) => targets.has(name));
    aliases.set(alias, [...new Set(names), extractive.name]);
  }

  return {
    resolve(name) {
      const model = models.get(aliases.get(name)?.[0] ?? name);
      if (model) return model;
      throw new AppError('model_not_found', { param: 'model' });
    },
    list() {
      const described = [...targets.values()].map((target) => describe(target));
      described.push(describeExtractive(extractive.name, described.length === 0));
      const first = (names: string[]) => described.find(({ id }) => id === names[0]) as ModelInfo;
      const named = [...aliases].map(([alias, names]) => describeAlias(alias, names, first(names)));
      return [...named, ...described];
    },
  };
}

function toTarget(
  name: string,
  spec: ModelSpec,
  provider: ProviderSpec | undefined,
  env: Environment,
): Target | undefined {
  const upstream = provider && toUpstream(provider, env);
  if (!provider || !upstream) return undefined;
  const { time_limits: limits = {} } = spec;
  const upstreamModel = spec.model ?? name;
  return {
    name,
    provider: provider.label ?? (provider.kind === 'azure' ? 'azure.ai.openai' : spec.provider),
    upstream,
    upstreamModel,
    contextLength: spec.context_length,
    encoding: spec.encoding ?? tokenEncodingFor(upstreamModel),
    timeLimits: {
      connectMs: limits.connect_ms ?? defaultTimeLimits.connectMs,
      firstTokenMs: limits.first_token_ms ?? defaultTimeLimits.firstTokenMs,
      idleMs: limits.idle_ms ?? defaultTimeLimits.idleMs,
      totalMs: limits.total_ms ?? defaultTimeLimits.totalMs,
    },
    ...(spec.price && { price: { input: spec.price.input, output: spec.price.output } }),
    reason: provider.api_key_env ? `${provider.api_key_env} is set` : 'listed in models.toml; needs no key',
  };
}

/** `undefined` when the environment lacks the provider's key or address. */
function toUpstream(provider: ProviderSpec, env: Environment): Upstream | undefined {
  const apiKey = provider.api_key_env === undefined ? undefined : env[provider.api_key_env];
  if (provider.api_key_env !== undefined && !apiKey) return undefined;
  if (provider.kind === 'azure') {
    const endpoint = env[provider.endpoint_env];
    return endpoint && apiKey
      ? { kind: 'azure', endpoint, apiKey, apiVersion: provider.api_version }
      : undefined;
  }
  const baseUrl = (provider.base_url_env && env[provider.base_url_env]) || provider.base_url;
  return { kind: 'openai', baseUrl, apiKey };
}

function toDiscoveredTarget(found: DiscoveredModel): Target {
  const { preferred: _, ...target } = found;
  return { ...target, encoding: tokenEncodingFor(found.upstreamModel), timeLimits: defaultTimeLimits };
}

function describe({ name, provider, contextLength, encoding, price, reason }: Target): ModelInfo {
  return {
    id: name,
    object: 'model',
    created: 0,
    owned_by: provider,
    edgewise: {
      kind: 'model',
      context_length: contextLength,
      encoding,
      generative: true,
      place: 'core',
      ...(price && { price }),
      reason,
    },
  };
}

function describeExtractive(name: string, alone: boolean): ModelInfo {
  return {
    id: name,
    object: 'model',
    created: 0,
    owned_by: 'edgewise',
    edgewise: {
      kind: 'model',
      context_length: EXTRACTIVE_CONTEXT_LENGTH,
      encoding: 'o200k_base',
      generative: false,
      place: 'core',
      reason: alone ? NO_MODEL : 'the last resort: it quotes the knowledge base',
    },
  };
}

function describeAlias(alias: string, targets: string[], first: ModelInfo): ModelInfo {
  const { edgewise } = first;
  return { ...first, id: alias, owned_by: 'edgewise', edgewise: { ...edgewise, kind: 'alias', targets } };
}
