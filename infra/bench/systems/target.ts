/** What the bench sends requests to: an address, what every request must carry, and the process behind it. */

export interface BenchTarget {
  readonly name: 'edge' | 'floor' | 'peer' | 'direct';
  /** `http://127.0.0.1:PORT/v1/chat/completions` */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whose time and memory are counted. */
  readonly pid: number;
}

export interface Asked {
  stream: boolean;
  content: string;
  /** The scripted one where it is not said. */
  model?: string;
  headers?: Record<string, string>;
}

/** What most rows ask: streamed, and of the model each time. */
export const askedAnew: Asked = {
  stream: true,
  content: 'When do you open on Sundays?',
  headers: { 'cache-control': 'no-store' },
};

/** The body that every target gets. */
export function toBody({ stream, content, model = 'bench-1' }: Omit<Asked, 'headers'>): string {
  return JSON.stringify({
    model,
    stream,
    messages: [
      { role: 'system', content: 'You are a helpful assistant of a shop. Answer in two sentences.' },
      { role: 'user', content },
    ],
  });
}
