/** The edge's configuration, read from its bindings once per isolate. One error message names every fault. */
import * as v from 'valibot';
import { OWN_ISSUER } from './auth/own-tokens.ts';
import type { JwtConfig } from './auth/token-verifier.ts';
import type { EdgeBindings } from './bindings.ts';
import { parsePlans, usualPlans } from './limits/plans.ts';
import { bindingsSchema, toValues, type Values, type Variable, variables } from './variables.ts';

/** The bindings as the platform passes them; the text ones are unchecked. */
export type EdgeEnv = EdgeBindings & v.InferInput<typeof bindingsSchema>;

/** @throws Error that lists every binding at fault, one a line. */
export function parseEdgeEnv(bindings: EdgeEnv) {
  const parsed = v.safeParse(bindingsSchema, bindings);
  if (!parsed.success) {
    throw configError(parsed.issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}`));
  }
  const values = toValues(parsed.output);
  const faults = crossFaults(values, bindings.AI !== undefined);
  if (faults.length > 0) throw configError(faults);
  const { jwt, limits, moderation, embeddings, ...config } = values;
  return {
    ...config,
    jwt: toJwtConfig(jwt),
    tokenSecret: toTokenSecret(values),
    signIn: onlyWith(config.signIn, 'issuer'),
    traces: onlyWith(config.traces, 'url'),
    light: toLightConfig(config.light),
    redis: onlyWith(config.redis, 'url'),
    plans: limits.isOn ? { ...usualPlans, ...parsePlans(limits.plans) } : undefined,
    filter: { ...config.filter, moderation: onlyWith(moderation, 'url') },
    meaning: { ...config.meaning, embeddings: toModelAddress(embeddings) },
    state: config.state.keys.length > 0 ? config.state : undefined,
  };
}

/** Faults in the combination of variables. */
function crossFaults(values: Values, hasWorkersAi: boolean): string[] {
  const { jwt, tokenSecret, guests, signIn, light, embeddings, redis } = variables;
  const faults: string[] = [];
  const missing = (needed: Variable, reason: string) => faults.push(`${needed.name} is missing; ${reason}`);
  const { algorithm } = values.jwt;
  if (algorithm === 'HS256') {
    if (values.jwt.secret.length < 32) {
      faults.push(`${jwt.secret.name} must have at least 32 characters for ${algorithm}`);
    }
  } else if (values.jwt.jwksUrl === undefined) {
    missing(jwt.jwksUrl, `${algorithm} keys are read from it`);
  }
  if (values.jwt.issuer === OWN_ISSUER) {
    faults.push(`${jwt.issuer.name} is the name under which the edge issues tokens itself`);
  }
  if (values.guests && toTokenSecret(values) === undefined) missing(tokenSecret, `${guests.name} needs it`);
  if (values.signIn.issuer && !values.signIn.clientId) {
    missing(signIn.clientId, `${signIn.issuer.name} needs it`);
  }
  for (const [model, value] of [
    [light, values.light],
    [embeddings, values.embeddings],
  ] as const) {
    if (value.baseUrl && !value.model) missing(model.model, `${model.baseUrl.name} needs it`);
    if (value.workersAiModel && !hasWorkersAi) {
      faults.push(`${model.workersAiModel.name} is set, but the Worker has no AI binding`);
    }
  }
  if (values.redis.url && !values.redis.token) missing(redis.token, `${redis.url.name} needs it`);
  return faults;
}

function toJwtConfig({ secret, jwksUrl, ...common }: Values['jwt']): JwtConfig {
  return jwksUrl === undefined || common.algorithm === 'HS256'
    ? { ...common, secret: new TextEncoder().encode(secret) }
    : { ...common, jwksUrl: new URL(jwksUrl) };
}

/** With HS256 we hold the secret that signs users' tokens, so the edge can sign its own tokens with it. */
function toTokenSecret({ tokenSecret, jwt }: Values): Uint8Array | undefined {
  const secret = tokenSecret ?? (jwt.algorithm === 'HS256' ? jwt.secret : '');
  return secret === '' ? undefined : new TextEncoder().encode(secret);
}

function toLightConfig({ maxOutputTokens, ...light }: Values['light']) {
  const address = toModelAddress(light);
  return address && { ...address, maxOutputTokens };
}

function toModelAddress({ baseUrl, apiKey, model, workersAiModel }: Values['embeddings']) {
  if (baseUrl !== undefined) return { kind: 'openai-compatible' as const, baseUrl, apiKey, model };
  return workersAiModel === '' ? undefined : { kind: 'workers-ai' as const, model: workersAiModel };
}

/** A group of settings, or nothing when the variable that switches it on is not set. */
function onlyWith<Group, Key extends keyof Group>(
  group: Group,
  key: Key,
): (Group & { [One in Key]: NonNullable<Group[One]> }) | undefined {
  return group[key] === undefined ? undefined : (group as Group & { [One in Key]: NonNullable<Group[One]> });
}

function configError(faults: string[]): Error {
  return new Error(`The edge's configuration is wrong:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
}
