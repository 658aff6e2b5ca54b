import { useComputed } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type App, reasonOf, useApp } from '../app-state.ts';
import { t } from '../words/words.ts';
import { type Attachment, readImage } from './attachments.ts';
import { editing } from './editing.ts';
import { IconButton } from './icon-button.tsx';
import { Icon } from './icons.tsx';
import { isComposing, isDone } from './keys.ts';
import { notify } from './notices.ts';
import { VoiceButton } from './voice-button.tsx';

// long: one form and its handlers, most lines are markup
export function Composer() {
  const app = useApp();
  const { conversation, draft, knowledge, settings } = app;
  const box = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const [attachments, setAttachments] = useState<Attachment[]>([]);
  const current = conversation.value;
  const busy = current.busy.value;
  const text = draft.value;
  const sees = canSee(app);
  const canAttach = sees || app.documents.offered;

  useLayoutEffect(() => fitToText(box.current), [text]);
  // On a phone the keyboard would cover what there is to read.
  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) box.current?.focus();
  }, [current]);
  useDroppedFiles((files) => void take(files));

  async function take(files: Iterable<File>): Promise<void> {
    for (const file of files) {
      try {
        const isImage = file.type.startsWith('image/');
        // Whether it can be shown to the model is not known before the list of models is here.
        if (isImage) await app.modelsSettled;
        if (isImage && canSee(app)) {
          const attachment = await readImage(file);
          setAttachments((list) => [...list, attachment]);
        } else if (app.documents.offered) {
          await app.documents.add(file);
          knowledge.value = true;
          notify(t('documentAdded', { name: file.name }));
        } else notify(t('notReadable', { name: file.name }));
      } catch (error) {
        notify(file.type.startsWith('image/') ? t('notReadable', { name: file.name }) : reasonOf(error));
      }
    }
  }

  function send(): void {
    const asked = text.trim();
    if (asked === '' && attachments.length === 0) return;
    const last = current.path.value.at(-1)?.node;
    // The reader may have gone to another branch: that is where the question belongs.
    const parentId = last?.stored?.id;
    app.ask({
      text: asked,
      images: attachments.map(({ url }) => url),
      ...(parentId !== undefined && { parentId }),
    });
    draft.value = '';
    setAttachments([]);
  }

  function onKey(event: KeyboardEvent): void {
    if (isComposing(event)) return;
    if (isDone(event)) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && text === '' && !busy) {
      const lastQuestion = current.path.value.findLast(({ node }) => node.isQuestion);
      if (!lastQuestion) return;
      event.preventDefault();
      editing.value = lastQuestion.node.key;
    }
  }

  return (
    <div class="composer-frame">
      <ConnectionLine />
      <form
        class="composer"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        {attachments.length > 0 && (
          <ul class="attachments">
            {attachments.map(({ name, url }) => (
              <li key={url.slice(-40)}>
                <img src={url} alt={name} />
                <IconButton
                  icon="close"
                  label={t('removeAttachment', { name })}
                  onClick={() => setAttachments((list) => list.filter((other) => other.url !== url))}
                />
              </li>
            ))}
          </ul>
        )}
        <textarea
          id="message"
          ref={box}
          rows={1}
          aria-label={t('message')}
          placeholder={t('messagePlaceholder')}
          value={text}
          enterkeyhint="send"
          onInput={(event) => {
            draft.value = event.currentTarget.value;
          }}
          onKeyDown={onKey}
          onPaste={(event) => {
            const files = [...(event.clipboardData?.files ?? [])];
            if (files.length === 0 || !canAttach) return;
            event.preventDefault();
            void take(files);
          }}
        />
        <div class="composer-tools">
          {canAttach && (
            <>
              <input
                ref={picker}
                type="file"
                class="sr-only"
                tabIndex={-1}
                aria-hidden="true"
                multiple
                onChange={(event) => {
                  void take([...(event.currentTarget.files ?? [])]);
                  event.currentTarget.value = '';
                }}
              />
              <IconButton icon="clip" label={t('attach')} onClick={() => picker.current?.click()} />
            </>
          )}
          {settings.features.includes('documents') && (
            <button
              type="button"
              class="toggle"
              aria-pressed={knowledge.value}
              title={t('knowledgeHint')}
              onClick={() => {
                knowledge.value = !knowledge.value;
              }}
            >
              <Icon name="book" size={16} />
              {t('knowledge')}
            </button>
          )}
          <span class="spacer" />
          <VoiceButton
            onText={(said) => {
              draft.value = draft.value === '' ? said : `${draft.value} ${said}`;
              box.current?.focus();
            }}
          />
          {busy && text.trim() === '' ? (
            <IconButton icon="stop" class="send stop" label={t('stop')} onClick={() => void stopNow(app)} />
          ) : (
            <button
              type="submit"
              class="icon-button send"
              aria-label={t('send')}
              title={t('send')}
              disabled={text.trim() === '' && attachments.length === 0}
            >
              <Icon name="send" />
            </button>
          )}
        </div>
      </form>
    </div>
  );
}

export async function stopNow({ conversation }: ReturnType<typeof useApp>): Promise<void> {
  await conversation.value.stop().catch((error) => notify(reasonOf(error)));
}

function ConnectionLine() {
  const { network, conversation } = useApp();
  const lost = useComputed(() => conversation.value.connection.value === 'connecting');
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!lost.value) return;
    // A socket that opens right away is nobody's business.
    const timer = setTimeout(() => setLate(true), 1500);
    return () => clearTimeout(timer);
  }, [lost.value]);
  const text = network.online.value ? late && t('reconnecting') : t('offline');
  return (
    <p class="connection" role="status">
      {text && <span>{text}</span>}
    </p>
  );
}

/** Whether the chosen model takes images; one of which nothing is said is asked. */
function canSee({ models, model }: Pick<App, 'models' | 'model'>): boolean {
  const info = models.value.find(({ id }) => id === model.value);
  if (!info?.edgewise.generative) return false;
  return info.edgewise.capabilities?.includes('vision') ?? true;
}

function fitToText(box: HTMLTextAreaElement | null): void {
  if (!box || CSS.supports('field-sizing', 'content')) return;
  box.style.height = 'auto';
  box.style.height = `${box.scrollHeight}px`;
}

function useDroppedFiles(take: (files: File[]) => void): void {
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const root = document.documentElement;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files');
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      root.classList.add('dropping');
    };
    const end = () => root.classList.remove('dropping');
    const drop = (event: DragEvent) => {
      end();
      if (!hasFiles(event)) return;
      event.preventDefault();
      latest.current([...(event.dataTransfer?.files ?? [])]);
    };
    addEventListener('dragover', over);
    addEventListener('dragleave', end);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('dragleave', end);
      removeEventListener('drop', drop);
    };
  }, []);
}
