/** Dockerfiles and Compose: slim images, no root, nothing writable but data. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ValidationSeverity, validate } from 'dockerfile-utils';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { bindingsSchema } from '../../../edge/variables.ts';
import { projectRoot } from '../../local/settings.ts';
import { parseCopy, parseDockerfile } from './dockerfile.ts';

const read = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8');

describe.each(['core', 'edge', 'backup'])('%s.Dockerfile', (name) => {
  const stages = parseDockerfile(read(`${name}.Dockerfile`));
  const last = stages.at(-1);
  const named = (instruction: string) =>
    (last?.instructions ?? []).filter(({ name: its }) => its === instruction).map(({ text }) => text);

  test('passes the linter', () => {
    const strict = {
      deprecatedMaintainer: ValidationSeverity.ERROR,
      directiveCasing: ValidationSeverity.ERROR,
      emptyContinuationLine: ValidationSeverity.ERROR,
      instructionCasing: ValidationSeverity.ERROR,
      instructionCmdMultiple: ValidationSeverity.ERROR,
      instructionEntrypointMultiple: ValidationSeverity.ERROR,
      instructionHealthcheckMultiple: ValidationSeverity.ERROR,
      instructionJSONInSingleQuotes: ValidationSeverity.ERROR,
      instructionWorkdirRelative: ValidationSeverity.ERROR,
    };
    expect(validate(read(`${name}.Dockerfile`), strict).map(({ message }) => message)).toEqual([]);
    // The linter does find faults.
    expect(validate('FROM a\nHEALTHCHECK --intervall=1s CMD a', strict)).not.toEqual([]);
  });

  test('builds in one stage and runs in another, both on the slim image of our Node version', () => {
    expect(stages.length).toBeGreaterThan(1);
    const { devDependencies } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
    const major = devDependencies.node.split('.')[0];
    for (const { from } of stages) expect(from).toBe(`node:${major}-bookworm-slim`);
  });

  test('runs without root and without a shell, with one volume', () => {
    expect(named('USER')).toEqual(['1000:1000']);
    expect(JSON.parse(named('CMD')[0] ?? '')).toHaveLength(2);
    expect(named('VOLUME')).toHaveLength(1);
    if (name !== 'backup') expect(named('HEALTHCHECK')[0]).toContain('/readyz');
  });

  test('copies existing files, one by one, and no secrets', () => {
    for (const { instructions } of stages)
      for (const { text } of instructions.filter((one) => one.name === 'COPY')) {
        const { stage, sources } = parseCopy(text);
        for (const source of sources) {
          expect(source).not.toBe('.');
          if (stage === undefined) expect(existsSync(join(projectRoot, source)), source).toBe(true);
        }
      }
    expect(read(`${name}.Dockerfile`)).not.toMatch(/^(?:ENV|ARG)[^\n]*(?:SECRET|TOKEN|KEY|PASSWORD)/m);
  });

  test('leaves no package lists and no caches in the image', () => {
    for (const { instructions } of stages)
      for (const { name: its, text } of instructions) {
        if (its !== 'RUN') continue;
        if (text.includes('apt-get install')) {
          expect(text).toContain('--no-install-recommends');
          expect(text).toContain('rm -rf /var/lib/apt/lists');
        }
        if (text.includes('npm ci --omit=dev')) expect(text).toContain('npm cache clean');
      }
  });
});

describe('compose.yml', () => {
  interface Service {
    image?: string;
    build?: { context: string; dockerfile: string };
    read_only?: boolean;
    user?: string;
    security_opt?: string[];
    cap_drop?: string[];
    networks?: string[];
    ports?: string[];
    profiles?: string[];
    volumes?: string[];
    environment?: Record<string, string>;
    depends_on?: Record<string, { condition: string }>;
    healthcheck?: object;
    secrets?: string[];
  }
  const file = parse(read('compose.yml'), { merge: true }) as {
    services: Record<string, Service>;
    networks: Record<string, { internal?: boolean }>;
    volumes: object;
    secrets: object;
  };
  const services = Object.entries(file.services);

  test('gives no service more rights than it needs', () => {
    for (const [name, { security_opt, cap_drop }] of services) {
      expect(security_opt, name).toEqual(['no-new-privileges:true']);
      expect(cap_drop, name).toEqual(['ALL']);
    }
    for (const name of ['edge', 'core', 'migrate', 'backup', 'redis', 'prometheus', 'grafana'])
      expect(file.services[name]?.read_only, name).toBe(true);
  });

  test('pins every third-party image', () => {
    for (const [name, { image = '', build }] of services) {
      if (build) continue;
      expect(image, name).toMatch(/:v?\d+\.\d+/);
    }
  });

  test('refers only to existing networks, volumes, services and files', () => {
    for (const [name, service] of services) {
      for (const network of service.networks ?? [])
        expect(Object.keys(file.networks), name).toContain(network);
      for (const secret of service.secrets ?? []) expect(Object.keys(file.secrets), name).toContain(secret);
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(Object.keys(file.services), name).toContain(other);
        const needed = file.services[other];
        const isOurs = needed?.build !== undefined;
        if (condition === 'service_healthy')
          expect(needed?.healthcheck !== undefined || isOurs, other).toBe(true);
        // A dependency starts in every profile of the services that need it.
        if (needed?.profiles) expect(needed.profiles).toEqual(service.profiles);
      }
      for (const volume of service.volumes ?? []) {
        const [from = ''] = volume.split(':');
        if (from.startsWith('.')) expect(existsSync(resolve(import.meta.dirname, from)), from).toBe(true);
        else if (!from.startsWith('/')) expect(Object.keys(file.volumes), from).toContain(from);
      }
      if (service.build)
        expect(
          existsSync(resolve(import.meta.dirname, service.build.context, service.build.dockerfile)),
        ).toBe(true);
    }
  });

  test('exposes neither the stores nor the core', () => {
    expect(file.networks.back?.internal).toBe(true);
    for (const name of ['core', 'postgres', 'redis', 'prometheus', 'elasticsearch'])
      expect(file.services[name]?.ports, name).toBeUndefined();
    for (const [name, { ports = [] }] of services)
      for (const port of ports) if (name !== 'edge') expect(port, name).toMatch(/^127\.0\.0\.1:/);
  });

  test('holds no secret, requires the necessary ones, and names them in the example', () => {
    const example = read('env.example');
    const text = read('compose.yml');
    for (const [, name = ''] of text.matchAll(/\$\{(\w+):\?/g)) expect(example).toContain(`${name}=`);
    for (const [, { environment = {} }] of services)
      for (const [name, value] of Object.entries(environment))
        if (/SECRET|TOKEN|PASSWORD|API_KEY/.test(name)) expect(value, name).toMatch(/^\$\{/);
    expect(example).not.toMatch(/=\S/);
  });

  test('gives the edge no variable that it does not read', () => {
    const known = Object.keys(bindingsSchema.entries);
    for (const name of Object.keys(file.services.edge?.environment ?? {})) expect(known).toContain(name);
  });
});
