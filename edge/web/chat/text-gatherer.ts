/** Gathers text that comes in pieces, and hands it on once a frame; at once while nobody looks. */
import { batch, type Signal } from '@preact/signals';

export interface TextGatherer {
  append(to: Signal<string>, text: string): void;
  flush(): void;
  stop(): void;
}

export function createTextGatherer(): TextGatherer {
  const gathered = new Map<Signal<string>, string>();
  let frame = 0;
  function flush(): void {
    cancelAnimationFrame(frame);
    frame = 0;
    if (gathered.size === 0) return;
    batch(() => {
      for (const [to, text] of gathered) to.value += text;
    });
    gathered.clear();
  }
  return {
    append(to, text) {
      gathered.set(to, (gathered.get(to) ?? '') + text);
      // A page in the background gets no frames.
      if (document.hidden) flush();
      else if (frame === 0) frame = requestAnimationFrame(flush);
    },
    flush,
    stop() {
      cancelAnimationFrame(frame);
      gathered.clear();
    },
  };
}
