import { AppError } from '../../shared/errors.ts';

/** A whole number of the query. @throws AppError `invalid_value` naming `param` */
export function parseInteger(
  text: string | undefined,
  param: string,
  { fallback, min, max }: { fallback: number; min: number; max: number },
): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new AppError('invalid_value', {
    param,
    message: `'${param}' must be a whole number from ${min} to ${max}.`,
  });
}
