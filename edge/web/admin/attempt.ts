import { messageOf } from '../message-of.ts';
import { notify } from '../view/notices.ts';

/** Does what the operator wants, and says so when it fails. */
export function attempt(work: () => Promise<unknown>): void {
  void work().catch((error) => notify(messageOf(error)));
}
