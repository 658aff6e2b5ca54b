/** Takes a CPU profile over the Chrome DevTools Protocol, which Node and workerd both speak. */
export interface CpuProfile {
  nodes: {
    id: number;
    callFrame: { functionName: string; url: string; lineNumber: number; columnNumber?: number };
    /** Ids of the called nodes. */
    children?: number[];
  }[];
  samples: number[];
  /** Microseconds before each sample. */
  timeDeltas: number[];
}

const CALL_MS = 30_000;

export interface Inspected {
  port: number;
  /** Part of the target's title, when the inspector lists several. */
  target?: string;
  /** Time between two samples. */
  sampleMicroseconds?: number;
}

/** Profiles the process behind an inspector port while `work` runs. */
export async function profileWhile(
  { port, target, sampleMicroseconds = 500 }: Inspected,
  work: () => Promise<void>,
): Promise<CpuProfile> {
  const session = await connect(await debuggerUrl(port, target));
  try {
    await session.call('Profiler.enable');
    await session.call('Profiler.setSamplingInterval', { interval: sampleMicroseconds });
    await session.call('Profiler.start');
    await work();
    const { profile } = await session.call('Profiler.stop');
    return profile as CpuProfile;
  } finally {
    session.close();
  }
}

async function debuggerUrl(port: number, target: string | undefined): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/json`);
  const targets = (await answer.json()) as { title: string; webSocketDebuggerUrl: string }[];
  const found = targets.find(({ title }) => target === undefined || title.includes(target));
  if (!found) throw new Error(`Nothing to inspect at port ${port}: ${JSON.stringify(targets)}`);
  return found.webSocketDebuggerUrl;
}

interface Session {
  call(method: string, params?: object): Promise<Record<string, unknown>>;
  close(): void;
}

interface Answer {
  id?: number;
  result?: Record<string, unknown>;
  error?: { message: string };
}

async function connect(url: string): Promise<Session> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, (answer: Answer) => void>();
  let next = 1;
  socket.addEventListener('message', ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer;
    if (answer.id === undefined) return;
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', () => reject(new Error(`${url} cannot be inspected`)), { once: true });
  });
  return {
    async call(method, params = {}) {
      const id = next++;
      const answer = await new Promise<Answer>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), CALL_MS);
        waiting.set(id, (given) => {
          clearTimeout(timer);
          resolve(given);
        });
        socket.send(JSON.stringify({ id, method, params }));
      });
      if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
      return answer.result ?? {};
    },
    close: () => socket.close(),
  };
}
