/** The index, Filebeat and Logstash agree; no Elasticsearch is run for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const read = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8');

interface Mapping {
  type?: string;
  properties?: Record<string, Mapping>;
}

test('the index maps exactly the searched fields of the Elastic Common Schema', () => {
  const { template, index_patterns } = JSON.parse(read('index-template.json'));
  const fields = (mapping: Mapping, path: string[] = []): string[] =>
    mapping.properties
      ? Object.entries(mapping.properties).flatMap(([name, inner]) => fields(inner, [...path, name]))
      : [path.join('.')];
  expect(fields(template.mappings)).toEqual(
    expect.arrayContaining([
      '@timestamp',
      'message',
      'log.level',
      'service.name',
      'http.request.id',
      'http.request.method',
      'http.response.status_code',
      'event.duration',
      'trace.id',
      'error.code',
      'error.stack_trace',
      'gen_ai.request.model',
    ]),
  );
  // A field that somebody adds does not make the index grow.
  expect(template.mappings.dynamic).toBe(false);
  expect(template.settings['index.lifecycle.name']).toBe('edgewise-logs');
  expect(index_patterns).toEqual(['logs-edgewise-*']);
});

test('Filebeat and Logstash write to that index and hold no password', () => {
  const filebeat = parse(read('filebeat.yml'));
  expect(filebeat['output.elasticsearch'].index).toMatch(/^logs-edgewise-/);
  for (const input of filebeat['filebeat.inputs']) {
    expect(input.type).toBe('filestream');
    expect(input.id).toBeTruthy();
    const ndjson = input.parsers.at(-1).ndjson;
    expect(ndjson.target).toBe('');
  }
  const logstash = read('logstash.conf');
  expect(logstash).toContain('data_stream_dataset => "edgewise"');
  for (const text of [read('filebeat.yml'), logstash])
    for (const [line] of text.matchAll(/.*password.*/g)) expect(line).toContain('${');
});

test('braces of the pipeline match', () => {
  const text = read('logstash.conf').replaceAll(/"(?:\\.|[^"\\])*"|\/\^.*\$\//g, '');
  let depth = 0;
  for (const character of text) {
    if (character === '{') depth++;
    if (character === '}') depth--;
    expect(depth).toBeGreaterThanOrEqual(0);
  }
  expect(depth).toBe(0);
});
