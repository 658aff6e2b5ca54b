/** Renders the manifests of a folder like Kustomize, and checks them against the schemas of Kubernetes. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as apps from 'kubernetes-models/apps/v1';
import * as autoscaling from 'kubernetes-models/autoscaling/v2';
import * as batch from 'kubernetes-models/batch/v1';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from '../../local/settings.ts';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: manifests are of many shapes; the schemas check them
  [field: string]: any;
}

type Model = new (data: never) => { validate(): void };
const groups: Record<string, object> = {
  'apps/v1': apps,
  'autoscaling/v2': autoscaling,
  'batch/v1': batch,
  'networking.k8s.io/v1': networking,
  'policy/v1': policy,
  v1: core,
};

export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if ('errors' in document && document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}

export function readManifests(path: string): Manifest[] {
  return parseManifests(readFileSync(path, 'utf8'));
}

/** `kubectl kustomize`. @throws Error with its error output */
export function renderKustomization(folder: string): Manifest[] {
  return parseManifests(execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8' }));
}

/** Checks types, required fields and formats by the OpenAPI schemas of Kubernetes. @throws Error */
export function validateManifest(manifest: Manifest): void {
  const { apiVersion, kind, metadata } = manifest;
  const model = (groups[apiVersion] as Record<string, Model> | undefined)?.[kind];
  if (!model) throw new Error(`${apiVersion} has no ${kind}`);
  try {
    new model(structuredClone(manifest) as never).validate();
  } catch (error) {
    throw new Error(`${kind} ${metadata.name}: ${(error as Error).message}`);
  }
}

/**
 * Finds unknown fields, which the schemas allow, with the TypeScript compiler: an object literal may have no other
 * fields than its type.
 * @returns the compiler's errors
 */
export function unknownFields(manifests: readonly Manifest[]): string {
  const models = dirname(fileURLToPath(import.meta.resolve('kubernetes-models')));
  mkdirSync(join(projectRoot, 'dist'), { recursive: true });
  const dir = mkdtempSync(join(projectRoot, 'dist/manifests-'));
  try {
    const literals = manifests.map(({ apiVersion, kind, ...rest }, index) => {
      const type = `import('kubernetes-models/${apiVersion}').I${kind}`;
      return `export const manifest${index}: ${type} = ${JSON.stringify({ apiVersion, kind, ...rest })};`;
    });
    writeFileSync(join(dir, 'manifests.ts'), `${literals.join('\n')}\n`);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      module: 'ESNext',
      target: 'ES2024',
      moduleResolution: 'Bundler',
      types: [],
      paths: { 'kubernetes-models/*': [`${models}/*`] },
    };
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['manifests.ts'] }));
    execFileSync(process.execPath, [join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', dir], {
      encoding: 'utf8',
    });
    return '';
  } catch (error) {
    return (error as { stdout?: string }).stdout || String(error);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
