/**
 * The models that can be called: made from the models file, the environment and what was discovered. The only place that
 * joins an address with a key.
 */

import type { Capability } from '../../shared/model/request-needs.ts';
import type { TokenEncoding } from '../../shared/model/token-count.ts';
import { tokenEncodingFor } from '../../shared/model/token-count.ts';
import type { Continuation } from '../../shared/model/with-fallback.ts';
import { defaultTimeLimits, type TimeLimits } from '../../shared/model/with-time-limits.ts';
import type { Offer } from '../../shared/protocol/generation-protocol.ts';
import type { Upstream } from '../providers/openai-compatible.ts';
import type { QuotaLimits } from '../quota/quota-store.ts';
import type { DiscoveredModel, Environment } from './discover.ts';
import type { ModelSpec, ModelsFile, ProviderSpec, QuotaSpec } from './models-file.ts';

/** A model that can be called. */
export interface Target {
  name: string;
  provider: string;
  upstream: Upstream;
  upstreamModel: string;
  offers: readonly Offer[];
  contextLength: number;
  encoding: TokenEncoding;
  timeLimits: TimeLimits;
  /** Absent: whatever is asked. */
  capabilities?: readonly Capability[] | undefined;
  continues?: Continuation | undefined;
  /** What the upstream allows for its key, and for this model. */
  quotas: { provider?: QuotaLimits; model?: QuotaLimits };
  /** Under which name the key's quota is counted. */
  quotaProvider: string;
  /** US dollars per million tokens, where the file says it. */
  price?: { input: number; output: number; cachedInput?: number | undefined };
  reason: string;
  /** Values that nothing of an upstream's may show: the keys of all providers, and what else of the environment is secret. */
  secrets: readonly string[];
}

/** Of a model that does not chat. */
const UNUSED_CONTEXT_LENGTH = 8192;

export function targetsOf(
  file: ModelsFile,
  env: Environment,
  discovered: DiscoveredModel[],
): Iterable<Target> {
  const targets = new Map<string, Target>();
  const secrets = secretsOf(file, env, discovered);
  for (const found of discovered) targets.set(found.name, toDiscoveredTarget(found, file, secrets));
  for (const [name, spec] of Object.entries(file.models)) {
    const target = toTarget(name, spec, file.providers[spec.provider], env);
    if (target) targets.set(name, { ...target, secrets });
  }
  return targets.values();
}

function toTarget(
  name: string,
  spec: ModelSpec,
  provider: ProviderSpec | undefined,
  env: Environment,
): Omit<Target, 'secrets'> | undefined {
  const upstream = provider && toUpstream(provider, env);
  if (!provider || !upstream) return undefined;
  const { time_limits: limits = {} } = spec;
  const upstreamModel = spec.model ?? name;
  return {
    name,
    provider: provider.label ?? (provider.kind === 'azure' ? 'azure.ai.openai' : spec.provider),
    upstream,
    upstreamModel,
    offers: spec.offers,
    contextLength: spec.context_length ?? UNUSED_CONTEXT_LENGTH,
    encoding: spec.encoding ?? tokenEncodingFor(upstreamModel),
    timeLimits: {
      connectMs: limits.connect_ms ?? defaultTimeLimits.connectMs,
      firstTokenMs: limits.first_token_ms ?? defaultTimeLimits.firstTokenMs,
      idleMs: limits.idle_ms ?? defaultTimeLimits.idleMs,
      totalMs: limits.total_ms ?? defaultTimeLimits.totalMs,
    },
    capabilities: spec.capabilities,
    continues: spec.continues,
    quotas: {
      ...(provider.quota && { provider: toLimits(provider.quota) }),
      ...(spec.quota && { model: toLimits(spec.quota) }),
    },
    quotaProvider: spec.provider,
    ...(spec.price && { price: toPrice(spec.price) }),
    reason: provider.api_key_env ? `${provider.api_key_env} is set` : 'listed in models.toml; needs no key',
  };
}

const secretNames = /(?:KEY|SECRET|TOKEN|PASSWORD|AUTHORIZATION)(?:_PREVIOUS)?$/;

/** Longest first, so that one that is part of another leaves nothing of it. */
function secretsOf(file: ModelsFile, env: Environment, discovered: DiscoveredModel[]): readonly string[] {
  const keyNames = new Set(Object.values(file.providers).map(({ api_key_env: name }) => name));
  const secrets = new Set(discovered.flatMap(({ upstream }) => upstream.apiKey ?? []));
  for (const [name, value = ''] of Object.entries(env)) {
    if (keyNames.has(name) || secretNames.test(name)) secrets.add(value);
    const password = /_URL$|ENDPOINT$/.test(name) && URL.canParse(value) ? new URL(value).password : '';
    secrets.add(password).add(unescaped(password));
  }
  secrets.delete('');
  return [...secrets].sort((one, other) => other.length - one.length);
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function toLimits(quota: QuotaSpec): QuotaLimits {
  return {
    requestsPerMinute: quota.requests_per_minute,
    tokensPerMinute: quota.tokens_per_minute,
    turnsAtOnce: quota.turns_at_once,
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

/** One that was found has the quota of the provider whose name it bears, where the file says one. */
function toDiscoveredTarget(found: DiscoveredModel, file: ModelsFile, secrets: readonly string[]): Target {
  const { preferred: _, ...target } = found;
  const quota = file.providers[found.provider]?.quota;
  return {
    ...target,
    offers: ['chat'],
    encoding: tokenEncodingFor(found.upstreamModel),
    timeLimits: defaultTimeLimits,
    quotas: quota ? { provider: toLimits(quota) } : {},
    quotaProvider: found.provider,
    secrets,
  };
}

function toPrice(price: NonNullable<ModelSpec['price']>): NonNullable<Target['price']> {
  const { input, output, cached_input: cachedInput } = price;
  return { input, output, ...(cachedInput !== undefined && { cachedInput }) };
}
