import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { say, startScriptedUpstream } from '../e2e/scripted-upstream.ts';
import { buildEdge } from '../local/build.ts';
import type { Child } from '../local/child.ts';
import { reportProgress, runCommand, UsageError, type Values } from '../local/command.ts';
import { freePort } from '../local/ports.ts';
import { startCore, startEdge, untilHealthy } from '../local/processes.ts';
import { localSecrets } from '../local/secrets.ts';
import { type LocalSettings, projectRoot } from '../local/settings.ts';
import { defaultClaims, signLocalToken } from '../local/token.ts';
import { type CpuProfile, profileWhile } from '../operate/profile/inspector.ts';
import { toReport, toSelfTimes } from '../operate/profile/self-times.ts';

const WARM_UP_MS = 2000;
const WORDS = 120;

const options = {
  seconds: { type: 'number', value: 'N', default: 10, help: 'How long to profile' },
  readers: {
    type: 'number',
    value: 'N',
    default: 32,
    help: 'Concurrent clients, half of them with sessions',
  },
  top: { type: 'number', value: 'N', default: 25, help: 'How many functions to list' },
} as const;

await runCommand({
  name: 'npm run profile',
  summary:
    'Runs edge and core under load with a scripted model, takes a CPU profile of both, and lists the ' +
    'functions with the most time. The profiles are in .data/profiles, for the developer tools of ' +
    'Chrome.',
  options,
  example: 'npm run profile -- --seconds 20 --readers 64',
  run: profile,
});

async function profile({ seconds, readers, top }: Values<typeof options>): Promise<void> {
  if (!(seconds > 0 && readers > 0 && top > 0))
    throw new UsageError('--seconds, --readers and --top must be greater than 0.');
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
      await printReport(name, profile, top);
  } finally {
    for (const child of children.reverse()) await child.stop(3000);
    await upstream.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function start(
  dataDir: string,
  upstream: string,
  children: Child[],
): Promise<{ settings: LocalSettings; token: string }> {
  const bundle = join(dataDir, 'worker.js');
  reportProgress('Building the edge without minification ...');
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

/** Each reader sends its next request as soon as an answer ends. @returns the number of answers */
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
        // Each question is new, so that the cache never answers.
        body: JSON.stringify({
          stream: true,
          messages: [{ role: 'user', content: `Question ${reader} ${turn} ${endMs}` }],
        }),
      });
      const text = await answer.text();
      if (!answer.ok || !text.includes('[DONE]'))
        throw new Error(`The edge answered ${answer.status}: ${text}`);
      answers++;
    }
  }
  await Promise.all(Array.from({ length: readers }, (_, reader) => read(reader)));
  return answers;
}

async function printReport(name: string, profile: CpuProfile, top: number): Promise<void> {
  const folder = join(projectRoot, '.data/profiles');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.cpuprofile`), JSON.stringify(profile));
  console.log(`\nThe ${name} (.data/profiles/${name}.cpuprofile):\n${toReport(toSelfTimes(profile), top)}`);
}
