import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseModelsFile } from './models-file.ts';

function faults(text: string): string[] {
  try {
    parseModelsFile(text, 'm.toml');
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
}

test('the file that ships is right, with every example in it uncommented, too', () => {
  const shipped = readFileSync(join(import.meta.dirname, '../../infra/config/models.toml'), 'utf8');
  expect(Object.keys(parseModelsFile(shipped, 'models.toml').models)).toEqual(['gpt-5', 'gpt-5-mini']);
  const [head = '', examples = ''] = shipped.split(/^# ----.*$/m);
  const uncommented = head + examples.replace(/^# ?/gm, '');
  const file = parseModelsFile(uncommented, 'models.toml');
  expect(Object.keys(file.providers)).toEqual(
    expect.arrayContaining([
      'openai',
      'azure',
      'qwen',
      'deepseek',
      'openrouter',
      'vllm',
      'llama-cpp',
      'ollama',
    ]),
  );
});

describe('faults', () => {
  test('of the syntax have a line', () => {
    expect(faults('[models.a]\nprovider = = 1\n')[0]).toMatch(/^m\.toml:2:\d+ /);
  });

  test('are reported all at once, each at its place', () => {
    const text = [
      '[providers.a]',
      'kind = "gopher"',
      '[providers.b]',
      'kind = "openai"',
      'base_url = "ftp://x"',
      'colour = "red"',
      '[models.m]',
      'provider = "b"',
      'context_length = -1',
      'price = { input = "free", output = 1 }',
    ].join('\n');
    expect(faults(text)).toEqual([
      'm.toml:2:1 providers.a.kind must be "openai" or "azure"',
      'm.toml:5:1 providers.b.base_url must be an http or https address',
      'm.toml:6:1 providers.b.colour is not a known key',
      'm.toml:9:1 models.m.context_length must be positive',
      'm.toml:10:11 models.m.price.input must be a number',
    ]);
  });

  test('include keys that are missing and names that point at nothing', () => {
    expect(faults('[models.m]\nprovider = "b"\n')).toEqual([
      'm.toml:2:1 models.m.provider names "b", which is no provider',
      'm.toml:1:1 models.m.context_length is missing',
    ]);
    const dangling =
      '[models.m]\nprovider = "b"\ncontext_length = 1\n[aliases]\nfast = ["m", "n"]\nm = ["m"]\n';
    expect(faults(dangling)).toEqual([
      'm.toml:2:1 models.m.provider names "b", which is no provider',
      'm.toml:6:1 aliases.m is the name of a model, too',
      'm.toml:5:14 aliases.fast.1 names "n", which is no model',
    ]);
  });
});
