/** The platform files agree with the core: port, paths, variables. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { getStaticTOMLValue, parseTOML } from 'toml-eslint-parser';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../local/settings.ts';

const read = (path: string) => readFileSync(resolve(import.meta.dirname, path), 'utf8');
const dockerfile = read('../docker/core.Dockerfile');
const port = Number(/EXPOSE (\d+)/.exec(dockerfile)?.[1]);
const known = new Set(readFileSync(join(projectRoot, 'core/env.ts'), 'utf8').match(/\b[A-Z][A-Z_]{5,}\b/g));
known.add('OPENAI_API_KEY');

test('AWS: the handler is the built one, and the core reads every variable', () => {
  const tag = (name: string) => ({ tag: `!${name}`, resolve: (value: string) => `!${name} ${value}` });
  const { Resources } = parse(read('aws-lambda.yaml'), { customTags: [tag('Ref'), tag('GetAtt')] });
  const { Handler, CodeUri, FunctionUrlConfig, Environment, Timeout, Runtime } = Resources.Core.Properties;
  expect(Handler).toBe('index.handler');
  expect(resolve(import.meta.dirname, CodeUri)).toBe(join(projectRoot, 'dist/function'));
  expect(FunctionUrlConfig.InvokeMode).toBe('RESPONSE_STREAM');
  for (const name of Object.keys(Environment.Variables)) expect(known).toContain(name);
  expect(Timeout).toBeLessThanOrEqual(900);
  const { devDependencies } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  expect(Runtime).toBe(`nodejs${devDependencies.node.split('.')[0]}.x`);
});

test('Cloud Run: port, probes and variables match the core', () => {
  const service = parse(read('cloud-run.yaml'));
  const [container] = service.spec.template.spec.containers;
  expect(container.ports).toEqual([{ containerPort: port }]);
  for (const probe of [container.startupProbe, container.livenessProbe])
    expect(probe.httpGet).toEqual({ path: '/healthz', port });
  for (const { name, value } of container.env) {
    expect(known).toContain(name);
    if (/SECRET|KEY|URL/.test(name)) expect(value).toBeUndefined();
  }
  expect(service.spec.template.metadata.annotations['run.googleapis.com/cpu-throttling']).toBe('false');
});

test('Fly: port, checks and image match the core, and the kill timeout is longer than the grace period', () => {
  const file = getStaticTOMLValue(parseTOML(read('fly.toml'))) as Record<string, never>;
  const {
    http_service: http,
    build,
    kill_timeout: killTimeout,
    deploy,
  } = file as never as {
    http_service: { internal_port: number; checks: { path: string }[] };
    build: { dockerfile: string };
    kill_timeout: string;
    deploy: { release_command: string };
  };
  expect(http.internal_port).toBe(port);
  expect(http.checks.map(({ path }) => path)).toEqual(['/healthz']);
  expect(read(build.dockerfile)).toBe(dockerfile);
  const graceMs = Number(/EDGEWISE_GRACE_MS=(\d+)/.exec(dockerfile)?.[1]);
  expect(Number.parseInt(killTimeout, 10) * 1000).toBeGreaterThan(graceMs);
  expect(dockerfile).toContain(`COPY ${deploy.release_command.replace('node ', '')}`);
});
