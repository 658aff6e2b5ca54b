/** Who a model is called for: what the layers between the ladder and the upstream need to know of a request's context. */
import type { Priority } from '../quota/fair-queue.ts';

export interface Caller {
  tenant: string;
  priority: Priority;
  /** Unix time in milliseconds after which nobody waits for the answer. */
  deadlineMs: number;
}
