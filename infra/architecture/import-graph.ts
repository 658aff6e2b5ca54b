/** Which of our files imports which, types included, and where that makes a circle. */
import { dirname, relative, resolve } from 'node:path';
import { parseSync } from 'vite';

/** By path from the root, the paths that it imports. Only files that are in the graph. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** @param read The text of a file */
export function importGraph(files: readonly string[], read: (path: string) => string): ImportGraph {
  const known = new Set(files);
  return new Map(
    files.map((path) => [path, importsOf(path, read(path)).filter((target) => known.has(target))]),
  );
}

/** The files that one names: static and dynamic imports, exports from, and those inside of types. */
export function importsOf(path: string, text: string): string[] {
  const { module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0]?.message}`);
  const names = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.map(({ moduleRequest }) => moduleRequest?.value),
    ),
    ...[...text.matchAll(/\bimport\(\s*'([^']+)'/g)].map(([, name]) => name),
  ];
  const targets = names
    .filter((name) => name?.startsWith('.'))
    .map((name) => relative('.', resolve(dirname(path), name ?? '')));
  return [...new Set(targets)];
}

/** The groups of files that reach each other (strongly connected components, Tarjan 1972), each sorted. O(imports). */
export function circlesOf(graph: ImportGraph): string[][] {
  const circles: string[][] = [];
  const order = new Map<string, { index: number; low: number }>();
  const stack: string[] = [];

  function visit(path: string): { index: number; low: number } {
    const place = { index: order.size, low: order.size };
    order.set(path, place);
    stack.push(path);
    const targets = graph.get(path) ?? [];
    for (const target of targets) {
      const known = order.get(target);
      if (!known) place.low = Math.min(place.low, visit(target).low);
      else if (stack.includes(target)) place.low = Math.min(place.low, known.index);
    }
    if (place.low === place.index) {
      const group = stack.splice(stack.indexOf(path));
      if (group.length > 1 || targets.includes(path)) circles.push(group.sort());
    }
    return place;
  }

  for (const path of graph.keys()) if (!order.has(path)) visit(path);
  return circles.sort();
}
