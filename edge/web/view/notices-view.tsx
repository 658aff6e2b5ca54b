import { t } from '../words/words.ts';
import { IconButton } from './icon-button.tsx';
import { dismiss, notices } from './notices.ts';

export function NoticesView() {
  return (
    <div class="notices" role="log" aria-live="polite">
      {notices.value.map(({ id, text, action }) => (
        <div class="notice" key={id}>
          <span>{text}</span>
          {action && (
            <button
              type="button"
              onClick={() => {
                dismiss(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
          <IconButton icon="close" label={t('close')} onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
