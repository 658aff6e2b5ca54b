/** One JSON line per request and per failure. Lengths and ids only: never prompts, answers, tokens or addresses. */
import type { AppError } from '../../shared/errors.ts';

type Fields = Record<string, string | number | boolean | undefined>;

export function logLine(level: 'info' | 'warn' | 'error', message: string, fields: Fields): void {
  const line = JSON.stringify({ '@timestamp': new Date().toISOString(), level, message, ...fields });
  if (level === 'error') console.error(line);
  else console.log(line);
}

export interface FailureLog {
  requestId: string;
  turnId?: string;
  error: AppError;
}

/** Our own failures with what caused them; a caller's mistakes are told to the caller and not logged here. */
export function logError({ requestId, turnId, error }: FailureLog): void {
  if (error.status < 500) return;
  const { cause } = error;
  logLine('error', error.message, {
    request_id: requestId,
    turn_id: turnId,
    code: error.code,
    cause: cause instanceof Error ? `${cause.name}: ${cause.message}` : undefined,
    stack: error.code === 'internal_error' && cause instanceof Error ? cause.stack : undefined,
  });
}
