/**
 * `npm run profile [-- --seconds 10 --readers 32 --top 25]`: edge and core on this machine under load, a CPU profile of
 * each while it lasts, and the functions that took the most time. A scripted server stands for the model. The profiles are
 * in `.data/profiles/`, for Chrome's developer tools.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { say, startScriptedUpstream } from '../e2e/scripted-upstream.ts';
import { buildEdge } from '../local/build.ts';
import type { Child } from '../local/child.ts';
import { freePort } from '../local/ports.ts';
import { startCore, startEdge, untilHealthy } from '../local/processes.ts';
import { runMain } from '../local/run-main.ts';
import { localSecrets } from '../local/secrets.ts';
import { type LocalSettings, projectRoot } from '../local/settings.ts';
import { defaultClaims, signLocalToken } from '../local/token.ts';
import { type CpuProfile, profileWhile } from '../operate/profile/inspector.ts';
import { toReport, toSelfTimes } from '../operate/profile/self-times.ts';

const WARM_UP_MS = 2000;
const WORDS = 120;

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      readers: { type: 'string', default: '32' },
      top: { type: 'string', default: '25' },
    },
  });
  const [seconds, readers, top] = [values.seconds, values.readers, values.top].map(Number) as [
    number,
    number,
    number,
  ];
  if (!(seconds > 0 && readers > 0 && top > 0))
    throw new Error('--seconds, --readers and --top are numbers.');
  const dataDir = await mkdtemp(join(tmpdir(), 'edgewise-profile-'));
  const children: Child[] = [];
  const upstream = await startScriptedUpstream();
  upstream.behave(say('word '.repeat(WORDS)));
  try {
    const { settings, token } = await start(dataDir, upstream.baseUrl, children);
    await load(settings, { token, readers, ms: WARM_UP_MS });
    let answers = 0;
    const underLoad = async () => {
      answers = await load(settings, { token, readers, ms: seconds * 1000 });
    };
    const inspect = settings.inspect ?? { edge: 0, core: 0 };
    let core: CpuProfile | undefined;
    const edge = await profileWhile({ port: inspect.edge, target: 'edge' }, async () => {
      core = await profileWhile({ port: inspect.core }, underLoad);
    });
    console.log(
      `${answers} answers of ${WORDS} words in ${seconds} s to ${readers} readers, half of them in sessions.`,
    );
    for (const [name, profile] of Object.entries({ edge, core: core as CpuProfile }))
      await tell(name, profile, top);
  } finally {
    for (const child of children.reverse()) await child.stop(3000);
    await upstream.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});

async function start(
  dataDir: string,
  upstream: string,
  children: Child[],
): Promise<{ settings: LocalSettings; token: string }> {
  const bundle = join(dataDir, 'worker.js');
  console.log('Building the edge, its functions with their names ...');
  await buildEdge({ bundle, isReadable: true });
  const settings: LocalSettings = {
    dataDir,
    edgePort: await freePort(),
    corePort: await freePort(),
    inspect: { edge: await freePort(), core: await freePort() },
    bundle,
  };
  await mkdir(join(dataDir, 'logs'), { recursive: true });
  const secrets = await localSecrets(dataDir);
  const env = {
    PATH: process.env.PATH,
    OPENAI_API_KEY: 'sk-profile',
    OPENAI_BASE_URL: upstream,
    OPENAI_MODEL: 'scripted-1',
    EDGEWISE_LIMITS: 'off',
  };
  children.push(startCore(env, settings, secrets), await startEdge(env, settings, secrets));
  await untilHealthy(settings.edgePort, children);
  return { settings, token: await signLocalToken(secrets.jwtSecret, { ...defaultClaims, sub: 'profile' }) };
}

interface Load {
  token: string;
  readers: number;
  ms: number;
}

/** Readers that ask again as soon as they have been answered. @returns how many answers there were */
async function load({ edgePort }: LocalSettings, { token, readers, ms }: Load): Promise<number> {
  const endMs = Date.now() + ms;
  let answers = 0;
  async function read(reader: number): Promise<void> {
    for (let turn = 0; Date.now() < endMs; turn++) {
      const answer = await fetch(`http://127.0.0.1:${edgePort}/v1/chat/completions`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          ...(reader % 2 === 0 && { 'x-session-id': `reader-${reader}` }),
        },
        // Each question is a new one: what is measured is not the cache.
        body: JSON.stringify({
          stream: true,
          messages: [{ role: 'user', content: `Question ${reader} ${turn} ${endMs}` }],
        }),
      });
      const text = await answer.text();
      if (!answer.ok || !text.includes('[DONE]')) throw new Error(`The edge said ${answer.status}: ${text}`);
      answers++;
    }
  }
  await Promise.all(Array.from({ length: readers }, (_, reader) => read(reader)));
  return answers;
}

async function tell(name: string, profile: CpuProfile, top: number): Promise<void> {
  const folder = join(projectRoot, '.data/profiles');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.cpuprofile`), JSON.stringify(profile));
  console.log(`\nThe ${name} (.data/profiles/${name}.cpuprofile):\n${toReport(toSelfTimes(profile), top)}`);
}
