import { useEffect, useState } from 'preact/hooks';
import { t } from '../words/words.ts';
import { Icon } from './icons.tsx';

const SHOWN_MS = 1600;

export function CopyButton({ text, label }: { text: () => string; label: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [done]);
  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(text());
    setDone(true);
  }
  return (
    <button type="button" class="icon-button" title={label} onClick={() => void copy()}>
      <Icon name={done ? 'check' : 'copy'} />
      <span class="sr-only">{done ? t('copied') : label}</span>
    </button>
  );
}
