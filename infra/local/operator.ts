/** The edge that an operator's command calls, and the token for it: by default the local edge, as an admin who may give any plan and scope. */
import { localSecrets } from './secrets.ts';
import { readLocalSettings } from './settings.ts';
import { defaultClaims, signLocalToken } from './token.ts';

export interface Operator {
  url: string;
  token: string;
}

/** Options of every operator's command. */
export const operatorOptions = {
  url: {
    type: 'string',
    value: 'URL',
    help: 'Address of the edge (default: http://127.0.0.1:$PORT, port 8787)',
  },
  tenant: { type: 'string', value: 'NAME', help: 'Tenant, when no token is given (default: default)' },
  token: {
    type: 'string',
    value: 'TOKEN',
    help: 'Admin token or API key (default: $EDGEWISE_TOKEN or a local one)',
  },
} as const;

export async function readOperator(values: {
  url?: string | undefined;
  tenant?: string | undefined;
  token?: string | undefined;
}): Promise<Operator> {
  const settings = readLocalSettings(process.env);
  const url = (values.url ?? `http://127.0.0.1:${settings.edgePort}`).replace(/\/+$/, '');
  const given = values.token || process.env.EDGEWISE_TOKEN;
  if (given) return { url, token: given };
  const { jwtSecret } = await localSecrets(settings.dataDir);
  const tenant = values.tenant ?? defaultClaims.tenant;
  return {
    url,
    token: await signLocalToken(jwtSecret, {
      ...defaultClaims,
      sub: 'operator',
      scope: 'admin batch grant',
      tenant,
    }),
  };
}

/** Calls the edge. @throws Error with the edge's own message, or when it cannot be reached */
export async function callEdge<T>(
  { url, token }: Operator,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
  const isForm = body instanceof FormData;
  const headers = {
    authorization: `Bearer ${token}`,
    ...(!isForm && { 'content-type': 'application/json' }),
  };
  const init = { method, headers, ...(body && { body: isForm ? body : JSON.stringify(body) }) };
  const answer = await fetch(url + path, init).catch(() => {
    throw new Error(`${url} cannot be reached.`);
  });
  const said = (await answer.json().catch(() => ({}))) as T & { error?: { message: string } };
  if (!answer.ok) throw new Error(said.error?.message ?? `The edge answered with status ${answer.status}.`);
  return said;
}
