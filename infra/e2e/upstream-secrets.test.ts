/** An upstream that says our own secrets back: none of them comes out, whatever place they are put in. */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { localSecrets } from '../local/secrets.ts';
import {
  openStream,
  refuse,
  type ScriptedUpstream,
  sse,
  startScriptedUpstream,
} from './scripted-upstream.ts';

import { type System, startSystem } from './system.ts';

const ONE_KEY = 'tf.One+Key/of==Provider';
const TWO_KEY = 'Zx9~another~providers~key';

const models = (address: string) => `
[providers.one]
kind = "openai"
base_url = "${address}"
api_key_env = "PROVIDER_ONE"
[providers.two]
kind = "openai"
base_url = "${address}"
api_key_env = "PROVIDER_TWO"
[models.speaks]
provider = "one"
context_length = 8000
`;

let upstream: ScriptedUpstream;
let system: System;
let secrets: string[];
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  const path = join(tmpdir(), `edgewise-secrets-${process.pid}.toml`);
  await writeFile(path, models(upstream.baseUrl));
  system = await startSystem({
    model: false,
    env: {
      EDGEWISE_MODELS_FILE: path,
      PROVIDER_ONE: ONE_KEY,
      PROVIDER_TWO: TWO_KEY,
      EDGEWISE_LIGHT_BASE_URL: upstream.baseUrl,
      EDGEWISE_LIGHT_MODEL: 'tiny',
      EDGEWISE_LIGHT_API_KEY: 'the-light-models-own-key',
    },
  });
  const { serviceSecret } = await localSecrets(system.dataDir);
  secrets = [ONE_KEY, TWO_KEY, serviceSecret, 'the-light-models-own-key'];
});
afterAll(async () => {
  await system?.stop();
  await upstream?.close();
});

async function shown(model: string, stream: boolean): Promise<string> {
  const answer = await system.chat('hi', { model, stream });
  return JSON.stringify([...answer.headers]) + (await answer.text());
}

test.each(['speaks', 'tiny'])(
  'no secret comes out of what the upstream of %s says',
  { timeout: 60_000 },
  async (model) => {
    for (const secret of secrets) {
      const fields = { message: `Your key ${secret} is bad.`, param: secret, code: secret, type: secret };
      for (const stream of [true, false]) {
        for (const status of [400, 401, 422]) {
          upstream.behave(refuse(status, fields, { 'x-request-id': secret, 'retry-after': secret }));
          expect(await shown(model, stream)).not.toContain(secret);
        }
        upstream.behave((_call, answer) => {
          openStream(answer);
          answer.end(sse({ error: { ...fields, code: 'context_length_exceeded' } }));
        });
        expect(await shown(model, stream)).not.toContain(secret);
      }
    }
  },
);

test('the caller still reads what is wrong', async () => {
  upstream.behave(refuse(400, { message: `With ${TWO_KEY} no 'tools'.`, param: 'tools' }));
  const answer = await system.chat('hi', { model: 'speaks' });
  expect(await answer.json()).toMatchObject({
    error: {
      code: 'upstream_rejected',
      message: "The model rejected the request: With [redacted] no 'tools'.",
      param: 'tools',
    },
  });
});
