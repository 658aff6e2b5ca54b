/** What the imports of the four folders look like: arrows between rooms, circles, and imports that run upward. */
import { circlesOf, type ImportGraph, importGraph } from './import-graph.ts';
import { roomOf, roomOrder, type Side } from './room-order.ts';
import { isTest, readSource, sourceFiles } from './source-files.ts';

export interface ImportPicture {
  graph: ImportGraph;
  /** Groups of files that import each other, types included. */
  circles: string[][];
  /** `from -> to` of each import that runs upward. */
  upward: string[];
  /** Rooms that {@link roomOrder} does not name. */
  unknownRooms: string[];
}

export function readImportPicture(): ImportPicture {
  const graph = importGraph(
    sourceFiles().filter((path) => !isTest(path)),
    readSource,
  );
  return {
    graph,
    circles: circlesOf(graph),
    upward: upwardImports(graph),
    unknownRooms: unknownRooms(graph),
  };
}

/** Each import between two rooms of one side that runs from a lower room to a higher one. */
export function upwardImports(
  graph: ImportGraph,
  order: Readonly<Record<string, readonly string[]>> = roomOrder,
) {
  const upward: string[] = [];
  for (const [path, targets] of graph) {
    const from = roomOf(path);
    const rooms = order[from.side] ?? [];
    for (const target of targets) {
      const to = roomOf(target);
      if (to.side !== from.side) continue;
      if (rooms.indexOf(to.room) < rooms.indexOf(from.room)) upward.push(`${path} -> ${target}`);
    }
  }
  return upward.sort();
}

function unknownRooms(graph: ImportGraph): string[] {
  const unknown = new Set<string>();
  for (const path of graph.keys()) {
    const { side, room } = roomOf(path);
    const rooms = roomOrder[side as Side];
    if (rooms && !rooms.includes(room)) unknown.add(`${side}/${room}`);
  }
  return [...unknown].sort();
}

/** The picture as text: the rooms of each side in their order, each with how many imports go where. */
export function toPictureText({ graph, circles, upward, unknownRooms: unknown }: ImportPicture): string {
  const lines: string[] = [];
  for (const [side, rooms] of Object.entries(roomOrder)) {
    lines.push(`${side}/`);
    for (const room of rooms)
      lines.push(`  ${room.padEnd(14)} ${arrowsOf(graph, { side, room }, rooms)}`.trimEnd());
    lines.push('');
  }
  lines.push(
    ...listed(
      'circles',
      circles.map((files) => files.join(', ')),
    ),
  );
  lines.push(...listed('upward imports', upward));
  lines.push(...listed('rooms without a place', unknown));
  return lines.join('\n');
}

function arrowsOf(
  graph: ImportGraph,
  { side, room }: { side: string; room: string },
  rooms: readonly string[],
): string {
  const counts = new Map<string, number>();
  for (const [path, targets] of graph) {
    const from = roomOf(path);
    if (from.side !== side || from.room !== room) continue;
    for (const target of targets) {
      const to = roomOf(target);
      const name = to.side === side ? to.room : to.side;
      if (name !== room) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  const placeOf = (name: string) => (rooms.includes(name) ? rooms.indexOf(name) : rooms.length);
  return [...counts]
    .sort(([one], [other]) => placeOf(one) - placeOf(other))
    .map(([name, count]) => `-> ${name} ${count}`)
    .join('  ');
}

function listed(title: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [`${title}: none`] : [`${title}:`, ...entries.map((entry) => `  ${entry}`)];
}
