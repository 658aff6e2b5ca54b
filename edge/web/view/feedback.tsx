import { useState } from 'preact/hooks';
import { EdgewiseError } from '../../../shared/client/edgewise-error.ts';
import { reasonOf, useApp } from '../app-state.ts';
import { jsonBody } from '../chat/api.ts';
import { t } from '../words/words.ts';
import { IconButton } from './icon-button.tsx';
import { notify } from './notices.ts';

const TRIES = 4;
const AGAIN_MS = 1500;

export function Feedback({ turnId }: { turnId: string }) {
  const { api, settings } = useApp();
  const [given, setGiven] = useState<'up' | 'down'>();
  if (!settings.features.includes('feedback')) return null;
  async function give(rating: 'up' | 'down'): Promise<void> {
    setGiven(rating);
    try {
      await tell(rating);
      notify(t('thanks'));
    } catch (error) {
      setGiven(undefined);
      notify(reasonOf(error));
    }
  }
  async function tell(rating: 'up' | 'down'): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await api.request('/v1/feedback', jsonBody('POST', { turn_id: turnId, rating }));
        return;
      } catch (error) {
        // A turn is archived a moment after its end, and cannot be rated before.
        if (!(error instanceof EdgewiseError && error.status === 404) || tries === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }
  return (
    <>
      <IconButton icon="up" label={t('good')} pressed={given === 'up'} onClick={() => void give('up')} />
      <IconButton icon="down" label={t('bad')} pressed={given === 'down'} onClick={() => void give('down')} />
    </>
  );
}
