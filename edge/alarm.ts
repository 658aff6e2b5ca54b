/**
 * Ensures that a Durable Object's alarm runs no later than a Unix time in milliseconds. An earlier alarm stays, since its
 * handler schedules the next one, and setting an alarm writes to disk.
 */
export async function setAlarmNoLaterThan(storage: DurableObjectStorage, atMs: number): Promise<void> {
  const setMs = await storage.getAlarm();
  if (atMs < (setMs ?? Number.POSITIVE_INFINITY)) await storage.setAlarm(atMs);
}
