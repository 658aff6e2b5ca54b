import { useLayoutEffect, useRef } from 'preact/hooks';
import { useApp } from '../app-state.ts';
import type { ConversationNode } from '../chat/conversation-nodes.ts';
import { imagesOf, type PathStep, textOf } from '../chat/message-tree.ts';
import { t } from '../words/words.ts';
import { BranchSwitch } from './branch-switch.tsx';
import { CopyButton } from './copy-button.tsx';
import { editing } from './editing.ts';
import { IconButton } from './icon-button.tsx';
import { isComposing, isDone } from './keys.ts';

export function QuestionView({ step }: { step: PathStep<ConversationNode> }) {
  const { conversation, ask } = useApp();
  const { node } = step;
  const { stored, pending } = node;
  const text = pending ? pending.text : textOf(stored?.content);
  const images = pending ? pending.images : imagesOf(stored?.content);
  const isEditing = editing.value === node.key;
  return (
    <article class="message question" aria-label={t('you')} data-key={node.key}>
      {images.length > 0 && (
        <div class="images">
          {images.map((url, index) => (
            <img key={url.slice(-40)} src={url} alt={`${t('attached')} ${index + 1}`} />
          ))}
        </div>
      )}
      {isEditing ? (
        <QuestionEditor
          text={text}
          onCancel={() => {
            editing.value = undefined;
          }}
          onSave={(next) => {
            editing.value = undefined;
            if (next === '') return;
            // What has just been answered is read back a moment later; until then its place is not known for sure.
            ask({ text: next, images, ...(stored && { parentId: stored.parent_id }) });
          }}
        />
      ) : (
        text !== '' && <div class="bubble">{text}</div>
      )}
      {pending && <PendingLine pending={pending} />}
      {!isEditing && (
        <div class="actions">
          <BranchSwitch step={step} />
          <CopyButton text={() => text} label={t('copy')} />
          {stored && (
            <IconButton
              icon="pencil"
              label={t('edit')}
              disabled={conversation.value.busy.value}
              onClick={() => {
                editing.value = node.key;
              }}
            />
          )}
        </div>
      )}
    </article>
  );
}

function PendingLine({ pending }: { pending: NonNullable<ConversationNode['pending']> }) {
  const { conversation, draft } = useApp();
  const state = pending.state.value;
  if (state === 'waiting') return <p class="pending waiting">{t('willSend')}</p>;
  if (state !== 'failed') return null;
  return (
    <div class="pending failure" role="alert">
      <p>{pending.error.value?.message}</p>
      <button type="button" class="secondary" onClick={() => conversation.value.retry(pending)}>
        {t('retry')}
      </button>
      <button
        type="button"
        class="quiet"
        onClick={() => {
          if (draft.value === '') draft.value = pending.text;
          conversation.value.withdraw(pending);
        }}
      >
        {t('discard')}
      </button>
    </div>
  );
}

interface QuestionEditorProps {
  text: string;
  onSave: (text: string) => void;
  onCancel: () => void;
}

function QuestionEditor({ text, onSave, onCancel }: QuestionEditorProps) {
  const box = useRef<HTMLTextAreaElement>(null);
  // At once: what is typed next must find the cursor at its place. The list scrolls to it, not the browser: two would undo
  // each other.
  useLayoutEffect(() => {
    box.current?.focus({ preventScroll: true });
    box.current?.setSelectionRange(text.length, text.length);
  }, []);
  const save = () => onSave(box.current?.value.trim() ?? '');
  return (
    <form
      class="question-editor"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <textarea
        ref={box}
        aria-label={t('editMessage')}
        defaultValue={text}
        rows={3}
        onKeyDown={(event) => {
          if (isDone(event)) save();
          else if (event.key === 'Escape' && !isComposing(event)) onCancel();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <div>
        <button type="button" class="quiet" onClick={onCancel}>
          {t('cancel')}
        </button>
        <button type="submit" class="primary">
          {t('saveAndSend')}
        </button>
      </div>
    </form>
  );
}
