import { type ErrorInfo, toAppError } from '../shared/errors.ts';

/** The result of an object's method. Errors keep their class only inside one isolate, so they are sent as data. */
export type Reply<T> = { ok: true; value: T } | { ok: false; error: ErrorInfo };

export async function reply<T>(work: () => Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: toAppError(error).toInfo() };
  }
}
