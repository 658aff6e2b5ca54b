/** One row of the bench's table: what it measures and what it needs for that. */
import type { BenchSystems } from './systems/systems.ts';

export interface RowOptions {
  systems: BenchSystems;
  /** Rounds in which the targets take turns. */
  rounds: number;
  /** Length of one load, in seconds. */
  seconds: number;
}

export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** In words; left out where nothing was promised. */
  goal?: string;
  isReached?: boolean;
}

/** A line of the details beneath the table. */
export interface Measured {
  target: string;
  values: Record<string, number>;
}

export interface RowResult {
  figures: Figure[];
  measured: Measured[];
  /** What a reader should know of how it was measured. */
  notes: string[];
}

export interface RowReport extends RowResult {
  name: string;
  title: string;
}

export interface BenchRow {
  /** As `--rows` names it. */
  name: string;
  title: string;
  run(options: RowOptions): Promise<RowResult>;
}

/** A figure that must be at least so much, or at most. */
export function atLeast(what: string, value: number, goal: number, unit = ''): Figure {
  return { what, value, unit, goal: `at least ${goal}${unit && ` ${unit}`}`, isReached: value >= goal };
}

export function atMost(what: string, value: number, goal: number, unit = ''): Figure {
  return { what, value, unit, goal: `at most ${goal}${unit && ` ${unit}`}`, isReached: value <= goal };
}

/** A figure of which nothing was promised: what the others are to be read beside. */
export function shown(what: string, value: number, unit = ''): Figure {
  return { what, value, unit };
}
