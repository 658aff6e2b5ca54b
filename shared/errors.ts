/**
 * The one table of errors: every failure that a client can see has its code here, with its HTTP status,
 * OpenAI's error type, whether a retry can help, and a text that is safe to show.
 */

import { type LimitMark, parseLimitMark } from './limit-mark.ts';

interface ErrorRule {
  status: number;
  /** OpenAI's `error.type`. */
  type: string;
  /** True when the same request may succeed later. */
  retryable: boolean;
  /** Safe for anyone to read: no key, host, stack or prompt. */
  message: string;
}

const invalid = (message: string, status = 400): ErrorRule => ({
  status,
  type: 'invalid_request_error',
  retryable: false,
  message,
});
const failed = (status: number, message: string, retryable = true): ErrorRule => ({
  status,
  type: 'server_error',
  retryable,
  message,
});

export const errorRules = {
  invalid_json: invalid('The request body is not valid JSON.'),
  invalid_type: invalid('A field has the wrong type.'),
  invalid_value: invalid('A field has a value that is not allowed.'),
  missing_required_parameter: invalid('A required field is missing.'),
  unsupported_value: invalid('A field has a value that Edgewise does not support.'),
  context_length_exceeded: invalid('The newest message does not fit the context window.'),
  content_filter: invalid('The content policy does not allow this prompt.'),
  upstream_rejected: invalid('The model rejected the request.'),
  missing_token: invalid('No bearer token was sent. Send "Authorization: Bearer <token>".', 401),
  invalid_token: invalid('The bearer token is not valid.', 401),
  token_expired: invalid('The bearer token has expired.', 401),
  insufficient_scope: invalid('The token does not allow this.', 403),
  origin_not_allowed: invalid('This origin may not open a WebSocket here.', 403),
  upgrade_required: invalid('This address answers WebSocket upgrades only.', 426),
  model_not_found: invalid('The model does not exist.', 404),
  session_not_found: invalid('The session does not exist.', 404),
  turn_not_found: invalid('The session has no such turn.', 404),
  response_not_found: invalid('The response does not exist, or is no longer kept.', 404),
  turn_expired: invalid('The events of this turn are no longer kept.', 410),
  file_not_found: invalid('The file does not exist.', 404),
  file_in_use: invalid('The file is being read by a batch.', 409),
  document_not_found: invalid('The document does not exist.', 404),
  document_unreadable: invalid('The document cannot be read.'),
  document_limit: invalid('There are too many documents; remove some first.'),
  batch_not_found: invalid('The batch does not exist.', 404),
  key_not_found: invalid('The API key does not exist.', 404),
  route_not_found: invalid('There is nothing at this address.', 404),
  method_not_allowed: invalid('This address does not answer that method.', 405),
  request_too_large: invalid('The request body is too large.', 413),
  request_timeout: invalid('The request body took too long to arrive.', 408),
  unsupported_media_type: invalid('The request body must be application/json.', 415),
  /** The client, or whoever owns the turn, cancelled it. 499 is the customary status; it is never sent. */
  cancelled: invalid('The turn was cancelled.', 499),
  idempotency_mismatch: invalid('This Idempotency-Key was used with another request.', 422),
  state_invalid: invalid('The sealed state cannot be opened for this caller.'),
  state_too_large: invalid('The sealed state is larger than this server takes.', 413),
  /** The state is not the newest of its conversation. */
  state_stale: {
    status: 409,
    type: 'conflict_error',
    retryable: false,
    message: 'The conversation has moved on since this state was made.',
  },
  state_busy: {
    status: 409,
    type: 'conflict_error',
    retryable: true,
    message: 'A turn from this state is being answered.',
  },
  session_conflict: {
    status: 409,
    type: 'conflict_error',
    retryable: true,
    message: 'The session was changed from elsewhere at the same time.',
  },
  session_busy: {
    status: 409,
    type: 'conflict_error',
    retryable: true,
    message: 'Too many turns of this session are waiting.',
  },
  rate_limit_exceeded: {
    status: 429,
    type: 'requests',
    retryable: true,
    message: 'Rate limit reached.',
  },
  insufficient_quota: {
    status: 429,
    type: 'insufficient_quota',
    retryable: false,
    message: 'The quota is used up.',
  },
  internal_error: failed(500, 'Something went wrong on our side.'),
  upstream_auth_failed: failed(502, 'The model refused our credentials.', false),
  upstream_error: failed(502, 'The model failed.'),
  upstream_cut: failed(502, 'The model broke off in the middle of its answer.'),
  upstream_invalid: failed(502, 'The model sent something that could not be read.'),
  upstream_too_large: failed(502, 'The model sent more than an answer may have.', false),
  upstream_unavailable: failed(503, 'The model cannot be reached.'),
  /** The upstream's own limit of our key, which is not the caller's. */
  upstream_rate_limited: failed(503, 'The model is asked too often at the moment.'),
  upstream_quota_exhausted: failed(503, 'What the model may cost us is used up.', false),
  upstream_model_missing: failed(502, 'The model is not there at its service.', false),
  upstream_overloaded: failed(503, 'The model is overloaded.'),
  model_busy: failed(503, 'Too many calls are waiting for the model.'),
  core_overloaded: failed(503, 'The core has as much to do as it can.'),
  core_unavailable: failed(503, 'The core cannot be reached.'),
  keys_unavailable: failed(503, 'The keys that check tokens cannot be fetched.'),
  filter_unavailable: failed(503, 'The content filter cannot be reached.'),
  limits_unavailable: failed(503, 'The limits cannot be checked; nothing new is spent until they can.'),
  store_unavailable: failed(503, 'The session store cannot be reached.'),
  database_unavailable: failed(503, 'The database cannot be reached.'),
  shutting_down: failed(503, 'The server is shutting down.'),
  connect_timeout: failed(504, 'The model did not accept the request in time.'),
  first_token_timeout: failed(504, 'The model did not begin to answer in time.'),
  idle_timeout: failed(504, 'The model stopped sending in the middle of its answer.'),
  deadline_exceeded: failed(504, 'The answer took longer than it may.'),
  generation_lost: failed(500, 'The answer was cut off by a restart.', false),
  answer_not_kept: failed(502, 'The answer did not come out whole, or from another model.'),
  generation_not_found: invalid('The core does not know this generation.', 404),
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof errorRules;

/** An error as data: what travels in events and between the edge and the core. */
export interface ErrorInfo {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  /** The field at fault, as a path: `messages[0].content`. */
  param?: string | undefined;
  /** When a retry makes sense, in milliseconds from now. */
  retryAfterMs?: number | undefined;
  /** What is left of the caller's limits, when one of them refused. */
  limits?: LimitMark | undefined;
}

/** OpenAI's error object. */
export interface OpenAIErrorBody {
  error: {
    message: string;
    type: string;
    param: string | null;
    code: string;
    request_id?: string | undefined;
  };
}

export interface AppErrorOptions {
  message?: string;
  param?: string | undefined;
  retryable?: boolean;
  retryAfterMs?: number | undefined;
  limits?: LimitMark | undefined;
  /** For logs only. Never shown. */
  cause?: unknown;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly param: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly limits: LimitMark | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    const rule = errorRules[code];
    super(options.message ?? rule.message, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.param = options.param;
    this.retryable = options.retryable ?? rule.retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.limits = options.limits;
  }

  get status(): number {
    return errorRules[this.code].status;
  }

  toInfo(): ErrorInfo {
    const info: ErrorInfo = {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
    };
    if (this.param !== undefined) info.param = this.param;
    if (this.retryAfterMs !== undefined) info.retryAfterMs = this.retryAfterMs;
    if (this.limits !== undefined) info.limits = this.limits;
    return info;
  }

  static fromInfo(info: ErrorInfo): AppError {
    return new AppError(info.code, info);
  }
}

/** Any thrown thing as an {@link AppError}: what is not one becomes `internal_error`, its text kept as the cause. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError('internal_error', { cause: thrown });
}

/** {@link ErrorInfo} from the outside (another process): anything that does not fit becomes `internal_error`. */
export function parseErrorInfo(value: unknown): ErrorInfo {
  const info = value as Partial<ErrorInfo> | null;
  if (typeof info?.code !== 'string' || !Object.hasOwn(errorRules, info.code)) {
    return new AppError('internal_error').toInfo();
  }
  const code = info.code as ErrorCode;
  return new AppError(code, {
    message: typeof info.message === 'string' ? info.message : errorRules[code].message,
    param: typeof info.param === 'string' ? info.param : undefined,
    retryable: typeof info.retryable === 'boolean' ? info.retryable : errorRules[code].retryable,
    retryAfterMs: typeof info.retryAfterMs === 'number' ? info.retryAfterMs : undefined,
    limits: parseLimitMark(info.limits),
  }).toInfo();
}

export function toOpenAIError(info: ErrorInfo, requestId?: string): OpenAIErrorBody {
  return {
    error: {
      message: info.message,
      type: errorRules[info.code].type,
      param: info.param ?? null,
      code: info.code,
      ...(requestId === undefined ? {} : { request_id: requestId }),
    },
  };
}
