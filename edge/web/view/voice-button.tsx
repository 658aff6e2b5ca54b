import { useRef, useState } from 'preact/hooks';
import { reasonOf, useApp } from '../app-state.ts';
import { t } from '../words/words.ts';
import { Icon } from './icons.tsx';
import { notify } from './notices.ts';

/** Shorter than this is a slip, and nothing that was said. */
const MIN_MS = 300;

/** Hold to talk. Not there when no model of the server writes speech down. */
export function VoiceButton({ onText }: { onText: (text: string) => void }) {
  const { api, models } = useApp();
  const [listening, setListening] = useState(false);
  const recorder = useRef<MediaRecorder>(undefined);
  const held = useRef(false);
  const model = models.value.find(({ edgewise }) => edgewise.offers?.includes('transcriptions'))?.id;
  if (model === undefined || !navigator.mediaDevices) return null;

  async function begin(): Promise<void> {
    held.current = true;
    const beganMs = Date.now();
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const made = new MediaRecorder(stream);
      const pieces: Blob[] = [];
      made.ondataavailable = ({ data }) => pieces.push(data);
      made.onstop = () => {
        for (const track of stream.getTracks()) track.stop();
        setListening(false);
        if (Date.now() - beganMs >= MIN_MS) void write(new Blob(pieces, { type: made.mimeType }));
      };
      recorder.current = made;
      made.start();
      setListening(true);
      // Let go while the browser was still asking.
      if (!held.current) made.stop();
    } catch {
      notify(t('voiceDenied'));
    }
  }

  function end(): void {
    held.current = false;
    if (recorder.current?.state === 'recording') recorder.current.stop();
  }

  async function write(recording: Blob): Promise<void> {
    const body = new FormData();
    body.append('model', model as string);
    body.append('file', recording, `voice.${recording.type.includes('mp4') ? 'mp4' : 'webm'}`);
    try {
      const { text } = await api.json<{ text: string }>('/v1/audio/transcriptions', { method: 'POST', body });
      onText(text);
    } catch (error) {
      notify(reasonOf(error));
    }
  }

  return (
    <button
      type="button"
      class={`icon-button voice ${listening ? 'listening' : ''}`}
      aria-label={t(listening ? 'voiceListening' : 'voice')}
      title={t('voice')}
      aria-pressed={listening}
      onPointerDown={() => void begin()}
      onPointerUp={end}
      onPointerLeave={end}
      onKeyDown={(event) => {
        if ((event.key === ' ' || event.key === 'Enter') && !event.repeat) void begin();
      }}
      onKeyUp={end}
    >
      <Icon name="mic" />
    </button>
  );
}
