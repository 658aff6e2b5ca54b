import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../app-state.ts';
import { t } from '../words/words.ts';

/** The one thing that is read out while an answer is given: that it is, and that it is whole. */
export function Status() {
  const { conversation } = useApp();
  const busy = conversation.value.busy.value;
  const was = useRef(false);
  const [text, setText] = useState('');
  useEffect(() => {
    if (busy) setText(t('generating'));
    else if (was.current) setText(t('complete'));
    was.current = busy;
  }, [busy]);
  return (
    <p class="sr-only" role="status" data-testid="status">
      {text}
    </p>
  );
}
