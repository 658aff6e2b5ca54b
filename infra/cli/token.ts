import { runCommand, UsageError } from '../local/command.ts';
import { localSecrets } from '../local/secrets.ts';
import { readLocalSettings } from '../local/settings.ts';
import { defaultClaims, signLocalToken } from '../local/token.ts';

const { tenant, plan, scope, expires } = defaultClaims;

await runCommand({
  name: 'npm run --silent token',
  summary: 'Prints a JWT for local use, signed with EDGEWISE_JWT_SECRET or the secret of the data folder.',
  options: {
    sub: { type: 'string', value: 'NAME', isRequired: true, help: 'User of the token' },
    tenant: { type: 'string', value: 'NAME', default: tenant, help: 'Tenant of the user' },
    plan: { type: 'string', value: 'NAME', default: plan, help: 'Plan whose limits hold' },
    scope: { type: 'string', value: '"A B"', default: scope, help: 'Scopes, separated by spaces' },
    expires: { type: 'string', value: 'SPAN', default: expires, help: 'Lifetime, such as 30m, 24h or 7d' },
  },
  environment: {
    EDGEWISE_JWT_SECRET: 'Secret to sign with',
    EDGEWISE_DATA: 'Data folder of npm start (.data)',
  },
  example: 'npm run --silent token -- --sub alice --scope admin',
  async run(values) {
    if (!/^\d+ ?[smhdw]$/.test(values.expires))
      throw new UsageError(
        `--expires must be a time span such as 30m, 24h or 7d, but is "${values.expires}".`,
      );
    const secret =
      process.env.EDGEWISE_JWT_SECRET ||
      (await localSecrets(readLocalSettings(process.env).dataDir)).jwtSecret;
    console.log(await signLocalToken(secret, { ...defaultClaims, ...values }));
  },
});
