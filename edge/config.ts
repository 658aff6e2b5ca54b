/** The edge's configuration, as the rest of it reads it; `env.ts` makes it from the bindings. */

import type { JwtConfig } from './auth/token-verifier.ts';
import type { PersonalDataLabel } from './filter/personal-data.ts';
import type { Plans } from './limits/plans.ts';
import type { LogLevel } from './observe/log.ts';
import type { StateKey } from './session/sealed-state.ts';

export const personalDataLabels = ['email', 'phone', 'id-card', 'bank-card', 'secret'] as const;

export interface RedisConfig {
  url: string;
  token: string;
}

export interface EdgeConfig {
  /** One for each region. */
  coreUrls: string[];
  serviceKey: Uint8Array;
  jwt: JwtConfig;
  /** Signs the tokens that the edge issues itself. */
  tokenSecret: Uint8Array | undefined;
  /** Whether people without a token are let in. */
  guests: boolean;
  /** Where the chat page lets people sign in (OpenID Connect with PKCE); nowhere without it. */
  signIn: SignInConfig | undefined;
  /** Exact origins that browsers may call from, or `*`. Empty: none. */
  corsOrigins: string[];
  maxBodyBytes: number;
  /** Whether the core is told of every turn, to keep it for good. */
  isArchiveOn: boolean;
  /** Of a file and the form around it. */
  maxUploadBytes: number;
  /** How long a body may take to arrive. */
  bodyTimeoutMs: number;
  window: { rounds: number; tokens: number };
  /** The least that is logged. */
  logLevel: LogLevel;
  /** Who holds it may read the metrics; without it nobody may. */
  metricsToken: string | undefined;
  /** Where spans go, and which part of the traces that begin here; none without it. */
  traces: { url: string; authorization: string | undefined; sample: number } | undefined;
  /** Those whose prompts for `auto` are answered with documents unless they say otherwise; `*` for all. */
  knowledgeTenants: string[];
  light: LightConfig | undefined;
  redis: RedisConfig | undefined;
  /** A comment goes out after this long without an event. */
  heartbeatMs: number;
  /** Longest time a turn may take, from its arrival. */
  turnTimeoutMs: number;
  /** How long a conversation is kept after its last turn. */
  sessionTtlMs: number;
  /** Conversations in the client's hands; without keys there are none. */
  state: { keys: StateKey[]; maxChars: number } | undefined;
  /** What each plan allows; nothing is limited without. */
  plans: Plans | undefined;
  filter: FilterConfig;
  cache: CacheConfig;
  meaning: MeaningConfig;
  /** How long a turn's events can be read again after its end. */
  turnTtlMs: number;
}

/** A public client at an identity provider. */
export interface SignInConfig {
  issuer: string;
  clientId: string;
  scope: string;
}

export interface FilterConfig {
  /** What happens when a filter fails: `closed` refuses, `open` lets pass. */
  onFailure: 'open' | 'closed';
  /** What of personal data is masked. */
  personalData: PersonalDataLabel[];
  moderation: ModerationConfig | undefined;
}

export interface ModerationConfig {
  url: string;
  apiKey: string | undefined;
  model: string | undefined;
  /** Whether answers are shown to it, too: before or after they go out. */
  answers: 'off' | 'before' | 'after';
}

export interface CacheConfig {
  isOn: boolean;
  /** How long an answer is fresh, and how long after that it is still given while it is asked again. */
  ttlMs: number;
  staleMs: number;
  /** Bytes of answers in one isolate's memory. */
  isolateBytes: number;
  /** How fast an answer is said again; 0: at once. */
  charsPerSecond: number;
  /** Another text lets every answer go. */
  policy: string;
  /** Tenants whose users get each other's answers; `*` for all. */
  sharedTenants: string[];
}

export interface MeaningConfig {
  /** Tenants that have answers by meaning switched on; `*` for all. */
  tenants: string[];
  /** Largest expected share of wrong answers among those given. */
  delta: number;
  embeddings: EmbeddingsConfig | undefined;
  /** The core's model that judges; agreement of answers does without one. */
  judgeModel: string | undefined;
}

export type EmbeddingsConfig =
  | { kind: 'openai-compatible'; baseUrl: string; apiKey: string | undefined; model: string }
  | { kind: 'workers-ai'; model: string };

export type LightConfig = {
  model: string;
  /** Most tokens of an answer. */
  maxOutputTokens: number;
} & ({ kind: 'openai-compatible'; baseUrl: string; apiKey: string | undefined } | { kind: 'workers-ai' });
