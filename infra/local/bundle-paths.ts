/** Paths of the built edge. */
import { join } from 'node:path';
import { projectRoot } from './settings.ts';

export const assetsDir: string = join(projectRoot, 'dist/assets');
export const workerBundle: string = join(projectRoot, 'dist/edge/worker.js');
export const edgeVariablesFile: string = join(projectRoot, 'dist/edge/variables.json');
