import { AppError } from '../../shared/errors.ts';
import type { CoreContext } from './core-hono.ts';

/** The body as a form with files. @throws AppError `unsupported_media_type` */
export async function readForm(c: CoreContext): Promise<FormData> {
  const type = c.req.header('content-type') ?? '';
  try {
    return await new Response(c.get('bytes'), { headers: { 'content-type': type } }).formData();
  } catch (cause) {
    const message = 'The request body must be multipart/form-data.';
    throw new AppError('unsupported_media_type', { message, cause });
  }
}
