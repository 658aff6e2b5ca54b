/**
 * Loads modules of the edge into Node. They are imported by a path that the compiler does not follow, since the
 * types of Workers and of Node contradict each other in one program.
 */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as v from 'valibot';
import { projectRoot } from '../local/settings.ts';

/** Enough of the platform's module to load the classes of the edge; nothing of it is called here. */
const platform = `data:text/javascript,${encodeURIComponent(`
export class DurableObject {}
export class RpcTarget {}
export class WorkerEntrypoint {}
export const env = {};
export const waitUntil = () => undefined;
`)}`;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'cloudflare:workers' ? { url: platform, shortCircuit: true } : next(specifier, context),
});

/** @throws Error when the module has no such export */
export async function loadEdge(path: string, name: string): Promise<unknown> {
  const exports = await import(pathToFileURL(join(projectRoot, 'edge', path)).href);
  if (exports[name] === undefined) throw new Error(`edge/${path} exports no ${name}`);
  return exports[name];
}

export async function loadEdgeSchema(path: string, name: string): Promise<v.GenericSchema> {
  const schema = (await loadEdge(path, name)) as v.GenericSchema;
  if (schema.kind !== 'schema') throw new Error(`${name} of edge/${path} is not a schema`);
  return schema;
}

/** The routes of the edge as its router has them, without the guards. */
export async function loadEdgeRoutes(): Promise<{ method: string; path: string }[]> {
  const createApp = (await loadEdge('app.ts', 'createApp')) as (parts: unknown) => {
    routes: { method: string; path: string }[];
  };
  const edgeServices = (await loadEdge('services.ts', 'edgeServices')) as (bindings: object) => {
    app: unknown;
  };
  const { app } = edgeServices({
    EDGEWISE_CORE_URL: 'http://127.0.0.1:8788',
    EDGEWISE_SERVICE_SECRET: 'for the map of the routes, never for a call',
    EDGEWISE_JWT_SECRET: 'for the map of the routes, never for a token',
  });
  return createApp(app).routes.filter(({ method }) => method !== 'ALL');
}
