import { buildEdge } from '../local/build.ts';

/** The Worker is built once for all end-to-end tests. */
export default async function setup(): Promise<void> {
  await buildEdge();
}
