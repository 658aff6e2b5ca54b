import { useApp } from '../app-state.ts';
import type { ConversationNode } from '../chat/conversation-nodes.ts';
import type { LiveTurn } from '../chat/live-turn.ts';
import { type PathStep, sourcesOf, textOf } from '../chat/message-tree.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { t } from '../words/words.ts';
import { BranchSwitch } from './branch-switch.tsx';
import { CopyButton } from './copy-button.tsx';
import { DetailLine } from './detail-line.tsx';
import { Feedback } from './feedback.tsx';
import { IconButton } from './icon-button.tsx';
import { ReadAloud } from './read-aloud.tsx';
import { Sources } from './sources.tsx';

export function AnswerView({ step }: { step: PathStep<ConversationNode> }) {
  const { conversation, ask } = useApp();
  const { stored, live, pending, turnId } = step.node;
  const text = stored ? textOf(stored.content) : (live?.text.value ?? '');
  const state = live?.state.value ?? (pending ? pending.state.value : 'completed');
  const runs = state === 'running' || state === 'sending' || state === 'sent';
  const sources = sourcesOf(stored?.annotations ?? live?.annotations.value ?? [], text);
  // Nothing is asked yet, and its question says why.
  if (!live && (state === 'waiting' || state === 'failed') && pending?.again === undefined) return null;
  return (
    <article class={`message answer ${runs ? 'runs' : ''}`} aria-label={t('assistant')} aria-busy={runs}>
      {live && <Reasoning live={live} isOpen={runs && text === ''} />}
      {text === '' && runs ? (
        <p class="thinking">
          <span aria-hidden="true" />
          <span aria-hidden="true" />
          <span aria-hidden="true" />
          <span class="sr-only">{t('thinking')}</span>
        </p>
      ) : (
        <Markdown text={text} growing={runs} />
      )}
      {sources.length > 0 && <Sources sources={sources} />}
      {live && <EndLine live={live} />}
      {state === 'waiting' && <p class="pending waiting">{t('willSend')}</p>}
      {pending?.error.value && state === 'failed' && (
        <div class="pending failure" role="alert">
          <p>{pending.error.value.message}</p>
          <button type="button" class="secondary" onClick={() => conversation.value.retry(pending)}>
            {t('retry')}
          </button>
          <button type="button" class="quiet" onClick={() => conversation.value.withdraw(pending)}>
            {t('discard')}
          </button>
        </div>
      )}
      {!runs && !pending && (
        <footer>
          <div class="actions">
            <BranchSwitch step={step} />
            {text !== '' && <CopyButton text={() => text} label={t('copy')} />}
            {turnId !== undefined && (
              <IconButton
                icon="again"
                label={live?.error.value ? t('retry') : t('regenerate')}
                disabled={conversation.value.busy.value}
                onClick={() => ask({ text: '', again: live?.again ?? turnId })}
              />
            )}
            {text !== '' && <ReadAloud text={text} />}
            {text !== '' && turnId !== undefined && <Feedback turnId={turnId} />}
          </div>
          {live && <DetailLine details={live.details.value} />}
        </footer>
      )}
    </article>
  );
}

function Reasoning({ live, isOpen }: { live: LiveTurn; isOpen: boolean }) {
  const text = live.reasoning.value;
  if (text === '') return null;
  return (
    <details class="reasoning" open={isOpen}>
      <summary>{t('reasoning')}</summary>
      <div>{text}</div>
    </details>
  );
}

/** How an answer ended, where it did not come to its own end. */
function EndLine({ live }: { live: LiveTurn }) {
  const { ask, conversation } = useApp();
  const state = live.state.value;
  const error = live.error.value;
  if (state === 'cancelled') return <p class="end">{t('stopped')}</p>;
  if (state === 'incomplete') return <p class="end">{t('cut')}</p>;
  if (state !== 'failed') return null;
  return (
    <div class="pending failure" role="alert">
      <p>{error?.message ?? t('error', { reason: '' })}</p>
      <button
        type="button"
        class="secondary"
        disabled={conversation.value.busy.value}
        onClick={() => ask({ text: '', again: live.again ?? live.turnId })}
      >
        {t('retry')}
      </button>
    </div>
  );
}
