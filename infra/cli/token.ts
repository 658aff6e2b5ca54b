/** `npm run token`: a JWT for local use on standard output, and nothing else there. */
import { parseArgs } from 'node:util';
import { localSecrets } from '../local/secrets.ts';
import { readLocalSettings } from '../local/settings.ts';
import { defaultClaims, signLocalToken, type TokenClaims } from '../local/token.ts';

const usage = 'npm run token -- --sub NAME [--tenant NAME] [--plan NAME] [--scope "a b"] [--expires 24h]';

try {
  const secret =
    process.env.EDGEWISE_JWT_SECRET || (await localSecrets(readLocalSettings(process.env).dataDir)).jwtSecret;
  console.log(await signLocalToken(secret, readClaims()));
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`);
  process.exitCode = 2;
}

function readClaims(): TokenClaims {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { sub: option, tenant: option, plan: option, scope: option, expires: option },
  });
  if (!values.sub) throw new Error('--sub is missing: the name of the user the token is for.');
  const expires = values.expires ?? defaultClaims.expires;
  if (!/^\d+ ?[smhdw]$/.test(expires))
    throw new Error(`--expires must be a time span as 30m, 24h or 7d, but is "${expires}".`);
  return { ...defaultClaims, ...values, sub: values.sub, expires };
}
