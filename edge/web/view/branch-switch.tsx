import { useApp } from '../app-state.ts';
import type { ConversationNode } from '../chat/conversation-nodes.ts';
import type { PathStep } from '../chat/message-tree.ts';
import { t } from '../words/words.ts';
import { IconButton } from './icon-button.tsx';

/** From one version of a message to the next: those that were edited, and answers given again. */
export function BranchSwitch({ step: { node, siblings } }: { step: PathStep<ConversationNode> }) {
  const { conversation } = useApp();
  if (siblings.length < 2) return null;
  const at = siblings.indexOf(node.id);
  const go = (index: number) => {
    const id = siblings[index];
    if (id !== undefined) conversation.value.choose(node.parentId, id);
  };
  return (
    <span class="branch" role="group" aria-label={t('branch', { index: at + 1, count: siblings.length })}>
      <IconButton icon="left" label={t('previousBranch')} disabled={at === 0} onClick={() => go(at - 1)} />
      <span aria-hidden="true">
        {at + 1} / {siblings.length}
      </span>
      <IconButton
        icon="right"
        label={t('nextBranch')}
        disabled={at === siblings.length - 1}
        onClick={() => go(at + 1)}
      />
    </span>
  );
}
