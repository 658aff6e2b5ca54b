/**
 * One JSON line per request, turn and failure, in the fields of the Elastic Common Schema. Lengths and ids only: never prompts,
 * answers, tokens or addresses.
 */
import type { AppError } from '../../shared/errors.ts';

type Value = string | number | boolean | undefined;
/** ECS fields by their dotted names; what is ours alone stands under `edgewise`. */
export type LogFields = Record<string, Value | Record<string, Value>>;

export const logLevels = ['info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The isolate's, set once from its configuration. */
let least: LogLevel = 'info';

export function setLeastLevel(level: LogLevel): void {
  least = level;
}

/** Whether a line of that level goes out, so that nothing is put together for one that does not. */
export function isLogged(level: LogLevel): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf(least);
}

const always = { 'ecs.version': '9.0.0', 'service.name': 'edgewise-edge', 'event.dataset': 'edgewise.edge' };

export function logLine(level: LogLevel, message: string, fields: LogFields): void {
  if (!isLogged(level)) return;
  const line = JSON.stringify({
    '@timestamp': new Date().toISOString(),
    'log.level': level,
    message,
    ...always,
    ...fields,
  });
  if (level === 'error') console.error(line);
  else console.log(line);
}

export interface FailureLog {
  requestId: string;
  turnId?: string;
  error: AppError;
}

/** Our own failures with their causes; a caller's mistakes are in the response and are not logged here. */
export function logError({ requestId, turnId, error }: FailureLog): void {
  if (error.status < 500) return;
  const { cause } = error;
  logLine('error', error.message, {
    'event.action': 'failure',
    'http.request.id': requestId,
    'error.code': error.code,
    'error.message': cause instanceof Error ? `${cause.name}: ${cause.message}` : undefined,
    'error.stack_trace': error.code === 'internal_error' && cause instanceof Error ? cause.stack : undefined,
    ...(turnId !== undefined && { edgewise: { turn_id: turnId } }),
  });
}
