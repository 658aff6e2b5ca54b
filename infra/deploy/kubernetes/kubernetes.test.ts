/** Checks the manifests against the schemas of Kubernetes and against our own rules. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseModelsFile } from '../../../core/models/models-file.ts';
import { coreMetrics } from '../../../shared/observe/metric-names.ts';
import {
  type Manifest,
  parseManifests,
  readManifests,
  renderKustomization,
  unknownFields,
  validateManifest,
} from './manifests.ts';

const here = import.meta.dirname;
const folders = ['base', 'production', 'edge-nodes', 'gpu', 'migrate', 'backup'];
const kustomization = (folder: string) =>
  parse(readFileSync(join(here, folder, 'kustomization.yaml'), 'utf8')) as {
    resources: string[];
    patches?: { path: string }[];
  };

/** Debian has no package of kubectl; where kubectl is installed, its output is checked too. */
function lacksKubectl(): boolean {
  try {
    execFileSync('kubectl', ['kustomize', join(here, 'base')], { stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
}

function podOf({ kind, spec }: Manifest) {
  if (kind === 'CronJob') return spec.jobTemplate.spec.template;
  return ['Deployment', 'StatefulSet', 'Job'].includes(kind) ? spec.template : undefined;
}

describe.each(folders)('%s', (folder) => {
  const { resources } = kustomization(folder);
  const manifests = resources
    .filter((path) => path.endsWith('.yaml'))
    .flatMap((path) => readManifests(join(here, folder, path)));

  test('lists every file of the folder', () => {
    const { patches = [] } = kustomization(folder);
    const named = [...resources, ...patches.map(({ path }) => path)].filter((path) => path.endsWith('.yaml'));
    const there = readdirSync(join(here, folder)).filter((name) => /^(?!kustomization).*\.yaml$/.test(name));
    expect(named.sort()).toEqual(there.sort());
  });

  test('is valid for Kubernetes', () => {
    for (const manifest of manifests) validateManifest(manifest);
    expect(unknownFields(manifests)).toBe('');
  });

  test.skipIf(lacksKubectl())('is, as Kustomize makes it, what Kubernetes takes', () => {
    const rendered = renderKustomization(join(here, folder));
    for (const manifest of rendered) validateManifest(manifest);
    expect(unknownFields(rendered)).toBe('');
    for (const { kind, metadata } of rendered)
      if (kind !== 'Namespace') expect(metadata.namespace, metadata.name).toBe('edgewise');
    for (const manifest of rendered)
      for (const { image, name } of podOf(manifest)?.spec.containers ?? [])
        if (folder !== 'base') expect(image, name).toMatch(/:v?\d+\.\d+\.\d+$/);
  });

  test('runs every pod without root, without a cluster token, and with a read-only file system', () => {
    for (const manifest of manifests) {
      const pod = podOf(manifest)?.spec;
      if (!pod) continue;
      const name = `${folder}: ${manifest.metadata.name}`;
      expect(pod.automountServiceAccountToken, name).toBe(false);
      expect(pod.securityContext, name).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of pod.containers) {
        expect(container.securityContext, name).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.resources.requests, name).toHaveProperty('memory');
        expect(container.resources.limits, name).toHaveProperty('memory');
        const mounts = (container.volumeMounts ?? []).map((mount: { name: string }) => mount.name);
        const claims = (manifest.spec.volumeClaimTemplates ?? []).map((one: Manifest) => one.metadata.name);
        const volumes = (pod.volumes ?? []).map((volume: { name: string }) => volume.name);
        expect([...volumes, ...claims].sort(), name).toEqual(mounts.sort());
      }
    }
  });

  test('has probes and a termination grace period', () => {
    for (const manifest of manifests.filter(({ kind }) => /^(?:Deployment|StatefulSet)$/.test(kind))) {
      const { spec } = podOf(manifest);
      const [container] = spec.containers;
      const ports = container.ports.map((port: { name: string }) => port.name);
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
        const { httpGet, tcpSocket } = container[probe];
        expect(ports).toContain((httpGet ?? tcpSocket).port);
      }
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(30);
      expect(manifest.spec.selector.matchLabels).toEqual(podOf(manifest).metadata.labels);
    }
  });

  test('holds no secret', () => {
    expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    for (const manifest of manifests)
      for (const container of podOf(manifest)?.spec.containers ?? [])
        for (const { name, value } of container.env ?? [])
          if (/SECRET|TOKEN|KEY|PASSWORD|DATABASE_URL/.test(name)) expect(value, name).toBeUndefined();
  });
});

describe('the base', () => {
  const manifests = ['core.yaml', 'scaling.yaml', 'network.yaml'].flatMap((name) =>
    readManifests(join(here, 'base', name)),
  );
  const find = (kind: string, name = 'edgewise-core') =>
    manifests.find((one) => one.kind === kind && one.metadata.name === name) as Manifest;

  test('scales on CPU, memory, and an existing metric of the core', () => {
    const { spec } = find('HorizontalPodAutoscaler');
    expect(spec.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'edgewise-core' });
    const metrics = spec.metrics as { resource?: { name: string }; pods?: { metric: { name: string } } }[];
    expect(metrics.map(({ resource, pods }) => resource?.name ?? pods?.metric.name)).toEqual([
      'cpu',
      'memory',
      'edgewise_generations_running',
    ]);
    expect(coreMetrics).toHaveProperty('edgewise_generations_running');
    expect(spec.minReplicas).toBeGreaterThan(1);
  });

  test('has a service, a disruption budget, and a grace period longer than its answers', () => {
    const { spec } = find('Deployment');
    expect(find('Service').spec.selector).toEqual(spec.selector.matchLabels);
    expect(find('PodDisruptionBudget').spec.selector).toEqual(spec.selector);
    const [container] = spec.template.spec.containers;
    const graceMs = Number(
      container.env.find((one: { name: string }) => one.name === 'EDGEWISE_GRACE_MS').value,
    );
    const pauseMs = Number(container.lifecycle.preStop.exec.command[1]) * 1000;
    expect(spec.template.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(graceMs + pauseMs + 5000);
  });

  test('denies all traffic that no policy allows', () => {
    expect(find('NetworkPolicy', 'nothing').spec).toEqual({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
    for (const { metadata, spec } of manifests.filter(({ kind }) => kind === 'NetworkPolicy'))
      for (const { to = [] } of spec.egress ?? [])
        for (const { ipBlock } of to)
          if (ipBlock?.cidr === '0.0.0.0/0')
            expect(ipBlock.except, metadata.name).toContain('169.254.0.0/16');
  });
});

test.each(['production', 'gpu'])('the models file of %s is one that the core takes', (folder) => {
  const file = parseModelsFile(readFileSync(join(here, folder, 'models.toml'), 'utf8'), 'models.toml');
  expect(Object.keys(file.aliases)).toEqual(['smart', 'fast']);
});

test('the models file lists the GPU model as vLLM serves it', () => {
  const file = parseModelsFile(readFileSync(join(here, 'gpu/models.toml'), 'utf8'), 'models.toml');
  const vllm = readManifests(join(here, 'gpu/vllm.yaml'));
  const { args } = podOf(vllm.find(({ kind }) => kind === 'Deployment') as Manifest).spec.containers[0];
  const option = (name: string) =>
    args.find((one: string) => one.startsWith(`--${name}=`))?.slice(name.length + 3);
  const name = option('served-model-name');
  expect(file.models[name]).toMatchObject({
    provider: 'vllm',
    context_length: Number(option('max-model-len')),
  });
  expect(option('quantization')).toMatch(/awq|int8/);
  const service = vllm.find(({ kind }) => kind === 'Service') as Manifest;
  expect(readFileSync(join(here, 'gpu/models.toml'), 'utf8')).toContain(
    `http://${service.metadata.name}:${service.spec.ports[0].port}/v1`,
  );
});

describe('the check itself finds', () => {
  const [deployment] = readManifests(join(here, 'base/core.yaml')).filter(
    ({ kind }) => kind === 'Deployment',
  );
  const changed = (change: (manifest: Manifest) => void) => {
    const copy = structuredClone(deployment) as Manifest;
    change(copy);
    return copy;
  };

  test('a value of the wrong type', () => {
    expect(() => validateManifest(changed(({ spec }) => Object.assign(spec, { replicas: 'two' })))).toThrow(
      'replicas',
    );
  });

  test('an unknown field', () => {
    const typo = changed(({ spec }) =>
      Object.assign(spec.template.spec.containers[0], { readynessProbe: {} }),
    );
    expect(unknownFields([typo])).toContain('readynessProbe');
  });

  test('an unknown kind', () => {
    expect(() =>
      validateManifest(parseManifests('apiVersion: apps/v1\nkind: Deploiment\nmetadata: {}')[0] as Manifest),
    ).toThrow('has no Deploiment');
  });
});
