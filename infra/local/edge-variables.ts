/**
 * Names of the edge's variables on this machine. The build derives them from the schema and writes them beside the
 * Worker, since the image of the edge has no sources.
 */
import { readFile } from 'node:fs/promises';
import { edgeVariablesFile } from './bundle-paths.ts';

/** The Worker must be built before; see `build.ts`. */
export async function readEdgeVariables(): Promise<string[]> {
  return JSON.parse(await readFile(edgeVariablesFile, 'utf8')) as string[];
}
