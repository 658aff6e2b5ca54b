import { type ErrorInfo, toAppError } from '../shared/errors.ts';

/** What an object's method answers: errors keep their class only inside one isolate, so they travel as data. */
export type Reply<T> = { ok: true; value: T } | { ok: false; error: ErrorInfo };

export async function reply<T>(work: () => Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: toAppError(error).toInfo() };
  }
}
