/** Every text variable of the edge: its name, its check and its place in the configuration. Types and lists derive from here. */
import * as v from 'valibot';
import { importServiceKey } from '../shared/protocol/service-token.ts';
import { signatureAlgorithms } from './auth/token-verifier.ts';
import { personalDataLabels } from './filter/personal-data.ts';
import { parsePlans } from './limits/plans.ts';
import { logLevels } from './observe/log.ts';
import type { StateKey } from './session/sealed-state.ts';

type VariableSchema = v.GenericSchema<string | undefined, unknown>;

/** One text binding: its name, and the schema that checks and converts its value. */
export interface Variable<Name extends string = string, Schema extends VariableSchema = VariableSchema> {
  name: Name;
  schema: Schema;
}

function variable<Name extends string, Schema extends VariableSchema>(
  name: Name,
  schema: Schema,
): Variable<Name, Schema> {
  return { name, schema };
}

const text = v.optional(v.pipe(v.string(), v.trim()), '');
const optionalText = v.pipe(
  text,
  v.transform((value) => value || undefined),
);
const filledText = (fallback: string) =>
  v.optional(v.pipe(v.string(), v.minLength(1, 'must not be empty')), fallback);
/** A text that is empty or has at least so many characters. */
const optionalSecret = (minimum: number) =>
  v.pipe(
    optionalText,
    v.check(
      (value) => value === undefined || value.length >= minimum,
      `must have at least ${minimum} characters`,
    ),
  );
const list = v.pipe(
  text,
  v.transform((value) =>
    value
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  ),
);
const integer = (fallback: number, minimum: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d+$/, 'must be a whole number'),
      v.transform(Number),
      v.minValue(minimum, `must be at least ${minimum}`),
      v.maxValue(Number.MAX_SAFE_INTEGER, 'is too large'),
    ),
    String(fallback),
  );
const milliseconds = (fallback: number, minimum: number, unitMs: number) =>
  v.pipe(
    integer(fallback, minimum),
    v.transform((value) => value * unitMs),
  );
const isOn = (fallback: 'on' | 'off') =>
  v.optional(
    v.pipe(
      v.picklist(['on', 'off'], 'must be on or off'),
      v.transform((value) => value === 'on'),
    ),
    fallback,
  );
const webAddress = v.pipe(
  optionalText,
  v.check((value) => value === undefined || isWebAddress(value), 'must be an http or https address'),
);
/** An address that paths are appended to. */
const baseAddress = v.pipe(
  webAddress,
  v.transform((value) => value && withoutLastSlash(value)),
);

/** Every variable of the edge, at the place of its value in the configuration. */
export const variables = {
  /** One address for each region. */
  coreUrls: variable(
    'EDGEWISE_CORE_URL',
    v.pipe(
      list,
      v.minLength(1, 'is missing'),
      v.check((urls) => urls.every(isWebAddress), 'must be http or https addresses, with commas between'),
      v.transform((urls) => urls.map(withoutLastSlash)),
    ),
  ),
  serviceKey: variable(
    'EDGEWISE_SERVICE_SECRET',
    v.pipe(text, v.minLength(32, 'must have at least 32 characters'), v.transform(importServiceKey)),
  ),
  jwt: {
    algorithm: variable(
      'EDGEWISE_JWT_ALGORITHM',
      v.optional(
        v.picklist(signatureAlgorithms, `must be one of ${signatureAlgorithms.join(', ')}`),
        'HS256',
      ),
    ),
    secret: variable('EDGEWISE_JWT_SECRET', text),
    jwksUrl: variable('EDGEWISE_JWKS_URL', webAddress),
    issuer: variable('EDGEWISE_JWT_ISSUER', filledText('edgewise')),
    audience: variable('EDGEWISE_JWT_AUDIENCE', filledText('edgewise')),
  },
  /** Signs the tokens that the edge issues itself. */
  tokenSecret: variable('EDGEWISE_TOKEN_SECRET', optionalSecret(32)),
  /** Whether people can get a token without an account. */
  guests: variable('EDGEWISE_GUESTS', isOn('off')),
  /** The identity provider of the chat page (OpenID Connect with PKCE). */
  signIn: {
    issuer: variable('EDGEWISE_OIDC_ISSUER', webAddress),
    clientId: variable('EDGEWISE_OIDC_CLIENT_ID', text),
    scope: variable('EDGEWISE_OIDC_SCOPE', v.optional(v.string(), 'openid profile offline_access')),
  },
  /** Exact origins that browsers may call from, or `*`. */
  corsOrigins: variable('EDGEWISE_CORS_ORIGINS', list),
  maxBodyBytes: variable('EDGEWISE_MAX_BODY_BYTES', integer(1024 * 1024, 1024)),
  /** Of a file and the form around it. */
  maxUploadBytes: variable('EDGEWISE_MAX_UPLOAD_BYTES', integer(25 * 1024 * 1024, 1024)),
  /** Longest time that a request body may take to arrive. */
  bodyTimeoutMs: variable('EDGEWISE_BODY_TIMEOUT_MS', integer(30_000, 100)),
  window: {
    rounds: variable('EDGEWISE_WINDOW_ROUNDS', integer(5, 0)),
    tokens: variable('EDGEWISE_WINDOW_TOKENS', integer(2048, 16)),
  },
  light: {
    baseUrl: variable('EDGEWISE_LIGHT_BASE_URL', baseAddress),
    apiKey: variable('EDGEWISE_LIGHT_API_KEY', optionalText),
    model: variable('EDGEWISE_LIGHT_MODEL', text),
    maxOutputTokens: variable('EDGEWISE_LIGHT_MAX_OUTPUT_TOKENS', integer(4096, 1)),
    workersAiModel: variable('EDGEWISE_WORKERS_AI_MODEL', text),
  },
  /** A stream without an event sends a comment after this time. */
  heartbeatMs: variable('EDGEWISE_HEARTBEAT_MS', integer(15_000, 10)),
  /** Longest time from the arrival of a turn to its end. */
  turnTimeoutMs: variable('EDGEWISE_TURN_TIMEOUT_MS', integer(300_000, 1000)),
  /** How long a conversation is kept after its last turn. */
  sessionTtlMs: variable('EDGEWISE_SESSION_TTL_HOURS', milliseconds(720, 1, 3_600_000)),
  /** How long the events of a turn can be read after its end. */
  turnTtlMs: variable('EDGEWISE_TURN_TTL_MINUTES', milliseconds(1440, 1, 60_000)),
  /** Seals the conversations that clients keep; without keys there are none. */
  state: {
    keys: variable(
      'EDGEWISE_STATE_KEYS',
      v.pipe(
        list,
        v.transform((entries) => entries.map(toStateKey)),
        v.check(
          (keys) => keys.every(isStateKey),
          'must be "id:secret", several with commas between: ids of letters and digits, secrets of 32 characters or more',
        ),
      ),
    ),
    maxChars: variable('EDGEWISE_STATE_MAX_CHARS', integer(8192, 256)),
  },
  filter: {
    /** What happens when a filter fails: `closed` refuses the text, `open` lets it pass. */
    onFailure: variable(
      'EDGEWISE_FILTER_FAILURE',
      v.optional(v.picklist(['open', 'closed'], 'must be open or closed'), 'closed'),
    ),
    personalData: variable(
      'EDGEWISE_MASK_PERSONAL_DATA',
      v.pipe(list, v.array(v.picklist(personalDataLabels, `must be of ${personalDataLabels.join(', ')}`))),
    ),
  },
  moderation: {
    url: variable('EDGEWISE_MODERATION_URL', webAddress),
    apiKey: variable('EDGEWISE_MODERATION_API_KEY', optionalText),
    model: variable('EDGEWISE_MODERATION_MODEL', optionalText),
    /** Whether answers are moderated too: before or after they are sent. */
    answers: variable(
      'EDGEWISE_MODERATION_ANSWERS',
      v.optional(v.picklist(['off', 'before', 'after'], 'must be off, before or after'), 'off'),
    ),
  },
  limits: {
    isOn: variable('EDGEWISE_LIMITS', isOn('on')),
    plans: variable(
      'EDGEWISE_PLANS',
      v.pipe(
        text,
        v.check(
          (value) => value === '' || parsePlans(value) !== undefined,
          'must be plans as JSON; see edge/limits/plans.ts',
        ),
      ),
    ),
  },
  /** Tenants whose prompts for `auto` are answered with documents by default; `*` for all. */
  knowledgeTenants: variable('EDGEWISE_KNOWLEDGE_TENANTS', list),
  /** The lowest level that is logged. */
  logLevel: variable(
    'EDGEWISE_LOG_LEVEL',
    v.optional(v.picklist(logLevels, `must be one of ${logLevels.join(', ')}`), 'info'),
  ),
  /** Bearer token for the metrics; without it they are not available. */
  metricsToken: variable('EDGEWISE_METRICS_TOKEN', optionalSecret(16)),
  traces: {
    url: variable('EDGEWISE_OTLP_URL', baseAddress),
    authorization: variable('EDGEWISE_OTLP_AUTHORIZATION', optionalText),
    /** The share of traces that are recorded, of those that begin here. */
    sample: variable(
      'EDGEWISE_TRACE_SAMPLE',
      v.optional(
        v.pipe(
          v.string(),
          v.regex(/^(?:0(?:\.\d+)?|1(?:\.0+)?)$/, 'must be a number from 0 to 1'),
          v.transform(Number),
        ),
        '0.01',
      ),
    ),
  },
  /** Whether the core keeps every turn durably. */
  isArchiveOn: variable('EDGEWISE_ARCHIVE', isOn('on')),
  cache: {
    isOn: variable('EDGEWISE_CACHE', isOn('on')),
    /** How long an answer is fresh. */
    ttlMs: variable('EDGEWISE_CACHE_TTL_SECONDS', milliseconds(3600, 1, 1000)),
    /** How long after that it is still served while a new one is generated. */
    staleMs: variable('EDGEWISE_CACHE_STALE_SECONDS', milliseconds(600, 0, 1000)),
    /** Most bytes of the answers that an isolate holds. */
    isolateBytes: variable('EDGEWISE_CACHE_ISOLATE_BYTES', integer(16 * 1024 * 1024, 1024 * 1024)),
    /** Pace of a replayed answer; 0: all at once. */
    charsPerSecond: variable('EDGEWISE_CACHE_CHARS_PER_SECOND', integer(0, 0)),
    /** Part of every key: a new value invalidates all answers. */
    policy: variable('EDGEWISE_CACHE_POLICY', text),
    /** Tenants whose users share answers; `*` for all. */
    sharedTenants: variable('EDGEWISE_CACHE_SHARED_TENANTS', list),
  },
  meaning: {
    /** Tenants with the semantic cache switched on; `*` for all. */
    tenants: variable('EDGEWISE_SEMANTIC_TENANTS', list),
    /** Largest expected share of wrong answers among those served. */
    delta: variable(
      'EDGEWISE_SEMANTIC_DELTA',
      v.optional(
        v.pipe(
          v.string(),
          v.regex(/^0?\.\d+$/, 'must be a number between 0 and 0.5'),
          v.transform(Number),
          v.minValue(0.001, 'must be at least 0.001'),
          v.maxValue(0.5, 'must be at most 0.5'),
        ),
        '0.02',
      ),
    ),
    /** The core's model that judges whether two questions mean the same; without it, agreement of answers decides. */
    judgeModel: variable('EDGEWISE_JUDGE_MODEL', optionalText),
  },
  embeddings: {
    baseUrl: variable('EDGEWISE_EMBEDDINGS_BASE_URL', baseAddress),
    apiKey: variable('EDGEWISE_EMBEDDINGS_API_KEY', optionalText),
    model: variable('EDGEWISE_EMBEDDINGS_MODEL', text),
    workersAiModel: variable('EDGEWISE_WORKERS_AI_EMBEDDINGS_MODEL', text),
  },
  redis: {
    url: variable('UPSTASH_REDIS_REST_URL', webAddress),
    token: variable('UPSTASH_REDIS_REST_TOKEN', text),
  },
};

type AnyVariable<Group> = Group extends Variable ? Group : AnyVariable<Group[keyof Group]>;
type Entries = { [One in AnyVariable<typeof variables> as One['name']]: One['schema'] };
type ValuesOf<Group> = {
  [Key in keyof Group]: Group[Key] extends Variable
    ? v.InferOutput<Group[Key]['schema']>
    : ValuesOf<Group[Key]>;
};
export type Values = ValuesOf<typeof variables>;

export const bindingsSchema = v.object(
  Object.fromEntries(allVariables(variables).map(({ name, schema }) => [name, schema])) as Entries,
);

type Tree = { readonly [key: string]: Variable | Tree };

function isVariable(node: Variable | Tree): node is Variable {
  return 'schema' in node;
}

function allVariables(tree: Tree): Variable[] {
  return Object.values(tree).flatMap((node) => (isVariable(node) ? [node] : allVariables(node)));
}

/** The parsed values in the form of {@link variables}. */
export function toValues(parsed: v.InferOutput<typeof bindingsSchema>): Values {
  return valuesOf(variables, parsed) as Values;
}

function valuesOf(tree: Tree, parsed: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(tree).map(([key, node]) => [
      key,
      isVariable(node) ? parsed[node.name] : valuesOf(node, parsed),
    ]),
  );
}

function toStateKey(entry: string): StateKey {
  const [id = '', ...secret] = entry.split(':');
  return { id, secret: secret.join(':') };
}

function isStateKey({ id, secret }: StateKey): boolean {
  return /^[A-Za-z0-9_-]{1,32}$/.test(id) && secret.length >= 32;
}

function isWebAddress(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function withoutLastSlash(address: string): string {
  return address.replace(/\/+$/, '');
}
