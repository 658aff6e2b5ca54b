import type { TurnBranch } from './message-tree.ts';

/** Where a request asks its turn to go on; after the newest message when it says nothing. */
export function branchOf({
  regenerate,
  parentId,
}: {
  regenerate?: true | string;
  parentId?: string | null;
}): TurnBranch | undefined {
  if (regenerate) return { kind: 'again', turnId: regenerate === true ? undefined : regenerate };
  return parentId === undefined ? undefined : { kind: 'after-message', messageId: parentId };
}
