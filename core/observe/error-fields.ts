/**
 * What a log may say of an error: its type, its code and where it was thrown. Never its message: a driver's, a parser's or a
 * runtime's message quotes the values it was given (titles, file names, pieces of a prompt).
 */
export function errorFields(error: unknown): Record<string, string | undefined> {
  if (!(error instanceof Error)) return { 'error.type': typeof error };
  return {
    'error.type': error.name,
    'error.code': codeOf(error),
    'error.stack_trace': framesOf(error),
  };
}

/** The first code of the error and what caused it: a driver's SQLSTATE or system error stands below the query's own error. */
function codeOf(error: Error): string | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === 'string' && /^[\w.-]{1,64}$/.test(code)) return code;
  }
  return undefined;
}

/** The lines below a stack's message, which may itself have lines that look like frames. */
function framesOf(error: Error): string | undefined {
  const { stack = '', message } = error;
  const start = message === '' ? 0 : stack.indexOf(message) + message.length;
  const frames = stack.slice(start).match(/^ +at .+$/gm);
  return frames?.slice(0, 20).join('\n');
}
