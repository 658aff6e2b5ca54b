import { reportProgress, runCommand, UsageError, type Values } from '../local/command.ts';
import { callEdge, operatorOptions, readOperator } from '../local/operator.ts';

interface Key {
  id: string;
  name: string;
  prefix: string;
  plan: string;
  scopes: string[];
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
}

const unitSeconds: Record<string, number> = { m: 60, h: 3600, d: 86_400, w: 604_800 };

const options = {
  name: { type: 'string', value: 'NAME', help: 'create: name of the key (required there)' },
  plan: { type: 'string', value: 'PLAN', help: 'create: plan whose limits hold for the key' },
  scope: { type: 'string', value: '"A B"', help: 'create: scopes, separated by spaces' },
  expires: { type: 'string', value: 'SPAN', help: 'create: time until the key expires, such as 90d' },
  ...operatorOptions,
} as const;

await runCommand({
  name: 'npm run key',
  summary:
    'Creates, lists and revokes the API keys of a tenant. A new key is shown once, on standard output.',
  positionals: {
    value: 'create|list|revoke [ID]',
    help: 'What to do; revoke takes the id of a key',
    isRequired: true,
  },
  options,
  example: 'npm run key -- create --name "back end" --plan pro --expires 90d',
  run: manageKeys,
});

async function manageKeys(
  { name, plan, scope, expires, ...rest }: Values<typeof options>,
  [action, id]: string[],
): Promise<void> {
  if (action === 'create') {
    if (!name) throw new UsageError('create needs --name NAME.');
    const made = await callEdge<Key & { key: string }>(await readOperator(rest), 'POST', '/v1/keys', {
      name,
      ...(plan && { plan }),
      scopes: (scope ?? '').split(' ').filter((one) => one !== ''),
      ...(expires && { expires_at: Math.floor(Date.now() / 1000) + parseSpan(expires) }),
    });
    reportProgress(`${made.id} for "${made.name}". The key is shown only this once:`);
    console.log(made.key);
  } else if (action === 'list') {
    const { data } = await callEdge<{ data: Key[] }>(await readOperator(rest), 'GET', '/v1/keys');
    for (const key of data) console.log(describeKey(key));
    if (data.length === 0) reportProgress('There are no keys.');
  } else if (action === 'revoke') {
    if (!id) throw new UsageError('revoke needs the id of a key.');
    const path = `/v1/keys/${encodeURIComponent(id)}`;
    const key = await callEdge<Key>(await readOperator(rest), 'DELETE', path);
    reportProgress(`${key.id} ("${key.name}") is revoked. Every edge refuses it within a minute.`);
  } else throw new UsageError(`'${action}' is not one of create, list and revoke.`);
}

function describeKey({ id, name, prefix, plan, scopes, ...times }: Key): string {
  const state = times.revoked_at
    ? 'revoked'
    : times.expires_at
      ? `until ${toDay(times.expires_at)}`
      : 'active';
  const used = times.last_used_at ? `used ${toDay(times.last_used_at)}` : 'never used';
  return [id, `${prefix}…`, name, plan, scopes.join(' ') || '-', state, used].join('  ');
}

function toDay(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function parseSpan(span: string): number {
  const [, number, unit = ''] = /^(\d{1,6}) ?([mhdw])$/.exec(span) ?? [];
  if (number === undefined)
    throw new UsageError(`--expires must be a time span such as 24h or 90d, but is "${span}".`);
  return Number(number) * (unitSeconds[unit] ?? 0);
}
