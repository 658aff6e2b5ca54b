/** `npm run key`: makes, lists and revokes the API keys of a tenant. */
import { parseArgs } from 'node:util';
import { callEdge, operatorOptions, readOperator } from '../local/operator.ts';
import { runMain } from '../local/run-main.ts';

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

const usage = `npm run key -- create --name NAME [--plan PLAN] [--scope "a b"] [--expires 90d]
npm run key -- list
npm run key -- revoke ID
Each takes [--tenant NAME] [--url http://127.0.0.1:8787] [--token TOKEN].`;

const unitSeconds: Record<string, number> = { m: 60, h: 3600, d: 86_400, w: 604_800 };

await runMain(async () => {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    options: { ...operatorOptions, name: text, plan: text, scope: text, expires: text },
    allowPositionals: true,
  });
  const operator = await readOperator(values);
  const [command, id] = positionals;
  if (command === 'create' && values.name) {
    const made = await callEdge<Key & { key: string }>(operator, 'POST', '/v1/keys', {
      name: values.name,
      ...(values.plan && { plan: values.plan }),
      scopes: (values.scope ?? '').split(' ').filter((scope) => scope !== ''),
      ...(values.expires && { expires_at: Math.floor(Date.now() / 1000) + parseSpan(values.expires) }),
    });
    console.error(`${made.id} for "${made.name}". The key is shown this once:`);
    console.log(made.key);
  } else if (command === 'list') {
    const { data } = await callEdge<{ data: Key[] }>(operator, 'GET', '/v1/keys');
    for (const key of data) console.log(describe(key));
    if (data.length === 0) console.error('There are no keys.');
  } else if (command === 'revoke' && id) {
    const key = await callEdge<Key>(operator, 'DELETE', `/v1/keys/${encodeURIComponent(id)}`);
    console.error(`${key.id} ("${key.name}") is revoked; every edge knows within a minute.`);
  } else throw new Error(usage);
});

function describe({ id, name, prefix, plan, scopes, ...times }: Key): string {
  const state = times.revoked_at ? 'revoked' : times.expires_at ? `until ${day(times.expires_at)}` : 'active';
  const used = times.last_used_at ? `used ${day(times.last_used_at)}` : 'never used';
  return [id, `${prefix}…`, name, plan, scopes.join(' ') || '-', state, used].join('  ');
}

function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function parseSpan(span: string): number {
  const [, number, unit = ''] = /^(\d{1,6}) ?([mhdw])$/.exec(span) ?? [];
  if (number === undefined) throw new Error(`--expires must be a time span as 24h or 90d, but is "${span}".`);
  return Number(number) * (unitSeconds[unit] ?? 0);
}
