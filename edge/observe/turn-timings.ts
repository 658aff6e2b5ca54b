/** How long the steps of a turn took, for `Server-Timing` (W3C Server Timing) and the log line. Milliseconds. */
export interface TurnTimings {
  /** Loading the conversation and fitting it into the window. */
  contextMs?: number;
  /** Choosing the model. */
  routeMs?: number;
  /** From asking the model to its taking the request. */
  modelMs?: number;
  /** From asking the model to its first delta. */
  firstTokenMs?: number;
}

const metrics: readonly [keyof TurnTimings, string][] = [
  ['contextMs', 'context'],
  ['routeMs', 'route'],
  ['modelMs', 'core'],
  ['firstTokenMs', 'first-token'],
];

/** Only the steps that were taken. */
export function toServerTiming(timings: TurnTimings): string {
  let text = '';
  for (const [key, name] of metrics) {
    const ms = timings[key];
    if (ms !== undefined) text += `${text === '' ? '' : ', '}${name};dur=${ms.toFixed(1)}`;
  }
  return text;
}
