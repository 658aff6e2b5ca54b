import { expect, test } from 'vitest';
import { createAssetWordLists } from './asset-word-lists.ts';

function assetsOf(files: Record<string, string>) {
  const requested: string[] = [];
  const lists = createAssetWordLists({
    fetch: async (url, init) => {
      requested.push(String(url));
      const text = files[String(url).replace('https://assets/policy/', '')];
      if (text === undefined) return new Response('no', { status: 404 });
      const etag = `"${text}"`;
      const isKnown = new Headers(init?.headers).get('if-none-match') === etag;
      return isKnown ? new Response(null, { status: 304 }) : new Response(text, { headers: { etag } });
    },
  });
  const read = async (tenant: string, known?: string) => {
    const list = await lists.read(tenant, known);
    return typeof list === 'object' ? { ...list, bytes: new TextDecoder().decode(list.bytes) } : list;
  };
  return { requested, read };
}

test("a tenant's own list takes precedence over the shared list", async () => {
  const { read } = assetsOf({ 'words.bin': 'all', 'words.acme.bin': 'own' });
  expect(await read('acme')).toEqual({ bytes: 'own', version: '"own"' });
  expect(await read('other')).toEqual({ bytes: 'all', version: '"all"' });
  expect(await assetsOf({}).read('acme')).toBeUndefined();
});

test('an unchanged list is not read again', async () => {
  const { read } = assetsOf({ 'words.bin': 'all', 'words.acme.bin': 'own' });
  expect(await read('acme', '"own"')).toBe('unchanged');
  expect(await read('other', '"all"')).toBe('unchanged');
  expect(await read('acme', '"old"')).toEqual({ bytes: 'own', version: '"own"' });
});

test('a tenant whose name is not a file name gets the shared list', async () => {
  const { read, requested } = assetsOf({ 'words.bin': 'all' });
  for (const tenant of ['../secret', 'a/b', 'a.b', '', '%2e%2e', 'x'.repeat(65), 'é']) {
    expect(await read(tenant)).toMatchObject({ bytes: 'all' });
  }
  expect(new Set(requested)).toEqual(new Set(['https://assets/policy/words.bin']));
});

test('a list that exists but cannot be read is an error', async () => {
  const broken = createAssetWordLists({ fetch: async () => new Response('no', { status: 500 }) });
  await expect(broken.read('acme', undefined)).rejects.toThrow('500');
});
