/**
 * The order of waiting calls: higher priority first, and within a priority the tenants in turn, so that a busy tenant
 * delays only itself. Owns its order and nothing else.
 * By hand: queue libraries have priorities, but no turns among tenants.
 */

/** Highest first. */
export const priorities = ['interactive', 'background', 'batch'] as const;
export type Priority = (typeof priorities)[number];

export interface Waiting {
  tenant: string;
  priority: Priority;
}

export interface FairQueue<T extends Waiting> {
  readonly size: number;
  push(entry: T): void;
  /** The one that is next, who stays in the queue. */
  peek(): T | undefined;
  /** @returns false when it was not there */
  remove(entry: T): boolean;
  /** How many would be let through before an entry that came now. */
  ahead(entry: Waiting): number;
  entries(): IterableIterator<T>;
}

export function createFairQueue<T extends Waiting>(): FairQueue<T> {
  /** By class; the tenant that stands first is next. */
  const classes = new Map<Priority, Map<string, T[]>>(priorities.map((priority) => [priority, new Map()]));
  const tenantsOf = (priority: Priority) => classes.get(priority) as Map<string, T[]>;
  let size = 0;

  return {
    get size() {
      return size;
    },
    push(entry) {
      const tenants = tenantsOf(entry.priority);
      const line = tenants.get(entry.tenant);
      if (line) line.push(entry);
      else tenants.set(entry.tenant, [entry]);
      size++;
    },
    peek() {
      for (const tenants of classes.values()) for (const [first] of tenants.values()) return first;
      return undefined;
    },
    remove(entry) {
      const tenants = tenantsOf(entry.priority);
      const line = tenants.get(entry.tenant);
      const index = line?.indexOf(entry) ?? -1;
      if (!line || index < 0) return false;
      line.splice(index, 1);
      size--;
      // One that was next gives the turn to the next tenant.
      if (line.length === 0 || index === 0) tenants.delete(entry.tenant);
      if (line.length > 0 && index === 0) tenants.set(entry.tenant, line);
      return true;
    },
    ahead({ tenant, priority }) {
      let count = 0;
      for (const higher of priorities) {
        if (higher === priority) break;
        for (const line of tenantsOf(higher).values()) count += line.length;
      }
      const own = tenantsOf(priority).get(tenant)?.length ?? 0;
      for (const [other, line] of tenantsOf(priority))
        count += other === tenant ? own : Math.min(line.length, own + 1);
      return count;
    },
    *entries() {
      for (const tenants of classes.values()) for (const line of tenants.values()) yield* line;
    },
  };
}
