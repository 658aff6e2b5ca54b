import { AppError } from '../../shared/errors.ts';
import type { CoreContext } from './core-hono.ts';

/** The body as JSON. @throws AppError `invalid_json` */
export function parseBodyJson(c: CoreContext): unknown {
  try {
    return JSON.parse(c.get('body'));
  } catch (cause) {
    throw new AppError('invalid_json', { cause });
  }
}
