/**
 * JSON lines on standard output, by pino, in the fields of the Elastic Common Schema. Lengths and ids only: never prompts,
 * answers or keys.
 */
import { pino } from 'pino';
import { toAppError } from '../../shared/errors.ts';
import type { GenerationEnd } from './generation-end.ts';

type Value = string | number | boolean | undefined;
/** ECS fields by their dotted names; what is ours alone stands under `edgewise`. */
type Fields = Record<string, Value | Record<string, Value>>;

const log = pino({
  level: process.env.EDGEWISE_LOG_LEVEL || 'info',
  base: { 'ecs.version': '9.0.0', 'service.name': 'edgewise-core', 'event.dataset': 'edgewise.core' },
  messageKey: 'message',
  timestamp: () => `,"@timestamp":"${new Date().toISOString()}"`,
  formatters: { level: (label) => ({ 'log.level': label }) },
});

export function logLine(level: 'info' | 'warn' | 'error', message: string, fields: Fields): void {
  log[level](fields, message);
}

export function logGeneration(end: GenerationEnd): void {
  logLine(end.error === undefined || end.error === 'cancelled' ? 'info' : 'warn', 'generation', {
    'event.action': 'generation',
    'event.outcome': end.error === undefined ? 'success' : 'failure',
    'event.duration': Math.round(end.durationMs * 1_000_000),
    'http.request.id': end.requestId,
    'trace.id': end.trace?.traceId,
    'error.code': end.error,
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': end.provider,
    'gen_ai.request.model': end.model,
    'gen_ai.usage.input_tokens': end.inputTokens,
    'gen_ai.usage.output_tokens': end.outputTokens,
    edgewise: {
      fallback_from: end.fallback?.from,
      fallback_reason: end.fallback?.reason,
      first_token_ms: end.firstTokenMs,
    },
  });
}

/** @returns a listener that logs the code of each error */
export function errorLogger(level: 'warn' | 'error', message: string): (error: unknown) => void {
  return (error) => logLine(level, message, { 'error.code': toAppError(error).code });
}

/** For the operator: where the damaged database is now. */
export function logDamage(folder: string, aside: string): void {
  logLine('error', 'the database cannot be read; it is set aside and an empty one is made', {
    edgewise: { folder, set_aside_in: aside },
  });
}
