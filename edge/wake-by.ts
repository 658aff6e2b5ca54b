/**
 * Makes sure that a Durable Object's alarm comes by that Unix time in milliseconds. One that is due earlier stays, since it
 * looks what is next by itself; setting one is a write to disk.
 */
export async function setAlarmNoLaterThan(storage: DurableObjectStorage, atMs: number): Promise<void> {
  const setMs = await storage.getAlarm();
  if (atMs < (setMs ?? Number.POSITIVE_INFINITY)) await storage.setAlarm(atMs);
}
