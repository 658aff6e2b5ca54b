/**
 * Limits as headers: OpenAI's `x-ratelimit-*`, and the IETF's `RateLimit` and `RateLimit-Policy`
 * (draft-ietf-httpapi-ratelimit-headers, structured fields of RFC 9651).
 */
import type { LimitMark, LimitState } from '../../shared/limit-mark.ts';

const WINDOW_S = 60;

export function toRateLimitHeaders({ requests, tokens }: LimitMark): Record<string, string> {
  const headers: Record<string, string> = {};
  const policies: string[] = [];
  const states: string[] = [];
  for (const [name, state] of [
    ['requests', requests],
    ['tokens', tokens],
  ] as const) {
    if (!state) continue;
    headers[`x-ratelimit-limit-${name}`] = String(state.limit);
    headers[`x-ratelimit-remaining-${name}`] = String(state.remaining);
    headers[`x-ratelimit-reset-${name}`] = toDuration(state.resetMs);
    policies.push(`"${name}";q=${state.limit};w=${WINDOW_S}`);
    states.push(`"${name}";r=${state.remaining};t=${toSeconds(state)}`);
  }
  if (policies.length === 0) return {};
  return { ...headers, 'ratelimit-policy': policies.join(', '), ratelimit: states.join(', ') };
}

function toSeconds({ resetMs }: LimitState): number {
  return Math.ceil(resetMs / 1000);
}

/** As OpenAI writes them: `120ms`, `1.5s`, `6m0s`, `1h2m3s`. */
export function toDuration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  if (ms < 60_000) return `${Math.ceil(ms / 100) / 10}s`;
  const seconds = Math.ceil(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}h` : ''}${minutes}m${seconds % 60}s`;
}
