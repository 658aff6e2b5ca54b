import { useState } from 'preact/hooks';
import { reasonOf, useApp } from '../app-state.ts';
import { jsonBody } from '../chat/api.ts';
import { t } from '../words/words.ts';
import { IconButton } from './icon-button.tsx';
import { notify } from './notices.ts';

export function Feedback({ turnId }: { turnId: string }) {
  const { api, settings } = useApp();
  const [given, setGiven] = useState<'up' | 'down'>();
  if (!settings.features.includes('feedback')) return null;
  async function give(rating: 'up' | 'down'): Promise<void> {
    setGiven(rating);
    try {
      await api.request('/v1/feedback', jsonBody('POST', { turn_id: turnId, rating }));
      notify(t('thanks'));
    } catch (error) {
      setGiven(undefined);
      notify(reasonOf(error));
    }
  }
  return (
    <>
      <IconButton icon="up" label={t('good')} pressed={given === 'up'} onClick={() => void give('up')} />
      <IconButton icon="down" label={t('bad')} pressed={given === 'down'} onClick={() => void give('down')} />
    </>
  );
}
