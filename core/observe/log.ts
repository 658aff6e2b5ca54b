/** JSON lines on standard output. Lengths and ids only: never prompts, answers or keys. */
import type { GenerationEnd } from '../generations/generations.ts';

type Fields = Record<string, string | number | boolean | undefined>;

export function logLine(level: 'info' | 'warn' | 'error', message: string, fields: Fields): void {
  process.stdout.write(
    `${JSON.stringify({ '@timestamp': new Date().toISOString(), level, message, ...fields })}\n`,
  );
}

export function logGeneration(end: GenerationEnd): void {
  logLine(end.error === undefined || end.error === 'cancelled' ? 'info' : 'warn', 'generation', {
    request_id: end.requestId,
    model: end.model,
    fallback_from: end.fallback?.from,
    fallback_reason: end.fallback?.reason,
    first_token_ms: end.firstTokenMs,
    duration_ms: end.durationMs,
    input_tokens: end.inputTokens,
    output_tokens: end.outputTokens,
    error: end.error,
  });
}
