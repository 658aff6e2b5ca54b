/** What a caller may read of an upstream's refusal of its request. Not in `shared/`, since the Worker's size counts. */

import type { DescribeRejection } from '../../shared/model/upstream-errors.ts';
import { removeSecrets } from './own-secrets.ts';

/** Keys, addresses and account names, which upstreams like to repeat in their messages. */
const patterns =
  /https?:\/\/\S+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\b(?:sk|pk|rk|org|proj|key|user|asst|ft)[-_][\w*.-]{4,}|\b[A-Za-z0-9_*-]{32,}\b|\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|io|ai|cn|dev|local)\b/gi;
const MAX_TEXT = 500;
/** A path of fields: `messages[0].content`. */
const FIELD = /^[A-Za-z_$][\w.$[\]'"-]{0,99}$/;
const keyLike = /^(?:sk|pk|rk)[-_]|[A-Za-z0-9_*-]{32,}/i;

/**
 * The upstream's own words on what is wrong with the request, which only the caller can correct, and the field at fault.
 * Nothing else of a refusal is passed on.
 * @param secrets Values that are ours
 */
export function describeRejection(secrets: readonly string[]): DescribeRejection {
  return ({ message, param }) => ({
    message: textOf(message, secrets),
    param: typeof param === 'string' && isField(param, secrets) ? param : undefined,
  });
}

function textOf(said: unknown, secrets: readonly string[]): string {
  if (typeof said !== 'string' || said === '') return 'The model rejected the request.';
  const clean = removeSecrets(said, secrets).replace(patterns, '[redacted]');
  return `The model rejected the request: ${clean.slice(0, MAX_TEXT)}`;
}

function isField(param: string, secrets: readonly string[]): boolean {
  return FIELD.test(param) && !keyLike.test(param) && removeSecrets(param, secrets) === param;
}
