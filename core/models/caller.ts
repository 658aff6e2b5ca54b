/** Who a model is called for: what the layers between the ladder and the upstream need to know of a request's context. */
import type { JsonObject } from '../../shared/model/chat-model.ts';
import type { Priority } from '../quota/fair-queue.ts';

export interface Caller {
  tenant: string;
  priority: Priority;
  /** Unix time in milliseconds after which nobody waits for the answer. */
  deadlineMs: number;
}

/** OpenAI's `service_tier: "flex"` says that others may go first, as a turn in the background does. */
export function toCaller(
  { tenant, deadlineMs }: Pick<Caller, 'tenant' | 'deadlineMs'>,
  { params, background = false }: { params: JsonObject; background?: boolean | undefined },
): Caller {
  const priority = background || params.service_tier === 'flex' ? 'background' : 'interactive';
  return { tenant, deadlineMs, priority };
}
