import { useEffect, useRef, useState } from 'preact/hooks';
import { reasonOf, useApp } from '../app-state.ts';
import { jsonBody } from '../chat/api.ts';
import { t } from '../words/words.ts';
import { IconButton } from './icon-button.tsx';
import { notify } from './notices.ts';

/** What a speech model takes at once. */
const MAX_CHARS = 4000;

export function ReadAloud({ text }: { text: string }) {
  const { api, models } = useApp();
  const [reading, setReading] = useState(false);
  const audio = useRef<HTMLAudioElement>(undefined);
  const model = models.value.find(({ edgewise }) => edgewise.offers?.includes('speech'))?.id;
  const stop = () => {
    audio.current?.pause();
    setReading(false);
  };
  useEffect(() => stop, []);
  if (model === undefined) return null;
  async function read(): Promise<void> {
    setReading(true);
    try {
      const body = { model, input: toSpoken(text).slice(0, MAX_CHARS), voice: 'alloy' };
      const response = await api.request('/v1/audio/speech', jsonBody('POST', body));
      const player = new Audio(URL.createObjectURL(await response.blob()));
      audio.current = player;
      player.onended = () => {
        URL.revokeObjectURL(player.src);
        setReading(false);
      };
      await player.play();
    } catch (error) {
      setReading(false);
      notify(reasonOf(error));
    }
  }
  return (
    <IconButton
      icon={reading ? 'stop' : 'speaker'}
      label={t(reading ? 'stopReading' : 'readAloud')}
      pressed={reading}
      onClick={() => (reading ? stop() : void read())}
    />
  );
}

/** Without Markdown's signs, which nobody wants to hear. */
function toSpoken(text: string): string {
  return text
    .replace(/```[\s\S]*?```/g, ' ')
    .replace(/[*_`#>|]/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
}
