/** A V8 processor profile in a few lines: where the time went, by function. */
import type { CpuProfile } from '../../operate/profile/inspector.ts';

const LINES = 45;

/** Own time of each function, and the time of all that it called, as parts of the time that was not idle. */
export function summarise(profile: CpuProfile): string {
  const own = new Map<number, number>();
  for (const [at, id] of profile.samples.entries())
    own.set(id, (own.get(id) ?? 0) + (profile.timeDeltas[at] ?? 0));
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const nameOf = (id: number) => {
    const frame = nodes.get(id)?.callFrame;
    return `${frame?.functionName || '(anonymous)'} ${frame?.lineNumber ?? 0}:${frame?.columnNumber ?? 0}`;
  };
  const ownByName = new Map<string, number>();
  const allByName = new Map<string, number>();
  const add = (map: Map<string, number>, name: string, time: number) =>
    map.set(name, (map.get(name) ?? 0) + time);

  function walk(id: number, above: ReadonlySet<string>): number {
    const name = nameOf(id);
    const below = new Set(above).add(name);
    let time = own.get(id) ?? 0;
    add(ownByName, name, time);
    for (const child of nodes.get(id)?.children ?? []) time += walk(child, below);
    // A function that calls itself counts once.
    if (!above.has(name)) add(allByName, name, time);
    return time;
  }
  walk(profile.nodes[0]?.id ?? 0, new Set());

  const idle = [...ownByName].reduce(
    (sum, [name, time]) => (name.startsWith('(idle)') ? sum + time : sum),
    0,
  );
  const total = [...own.values()].reduce((sum, time) => sum + time, 0) - idle;
  const list = (map: Map<string, number>) =>
    [...map]
      .filter(([name]) => !/^\((?:idle|root)\)/.test(name))
      .sort(([, one], [, other]) => other - one)
      .slice(0, LINES)
      .map(([name, time]) => `${((100 * time) / total).toFixed(1).padStart(6)}%  ${name}`)
      .join('\n');
  return `Own time\n${list(ownByName)}\n\nWith all that is called\n${list(allByName)}`;
}
