/** What a plugin did, as measurements and a log line: names and numbers, nothing of what was said. */

import { heldSeries } from '../observe/held-series.ts';
import { logLine } from '../observe/log.ts';
import type { Measurements } from '../observe/measurements.ts';
import { toNanoseconds } from '../observe/record-turn.ts';
import type { PluginRecord } from './plugin.ts';

type Hook = PluginRecord['hook'];
type Outcome = PluginRecord['outcome'];

export type RecordPlugin = (requestId: string, record: PluginRecord) => void;

const outcomes: Record<Outcome, string> = {
  pass: 'passed',
  flag: 'passed',
  change: 'changed',
  mask: 'changed',
  refuse: 'refused',
  threw: 'failed',
  slow: 'failed',
};

export function createPluginRecorder(measurements: Measurements): RecordPlugin {
  const measurementsOf = heldSeries((plugin: string, hook: Hook, outcome: Outcome) => {
    const text = hook === 'prompt' ? 'prompt' : 'answer';
    return {
      total: measurements.of('edgewise_filter_total', { text, outcome: outcomes[outcome] }),
      seconds: measurements.of('edgewise_plugin_duration_seconds', { plugin, text }),
    };
  });

  return function recordPlugin(requestId, record) {
    const { total, seconds } = measurementsOf(record.plugin, record.hook, record.outcome);
    total.count();
    seconds.observe(record.ms / 1000);
    if (record.outcome !== 'pass') logRecord(requestId, record);
  };
}

/** What a plugin threw may hold the prompt, and is left out. */
function logRecord(requestId: string, { plugin, hook, outcome, ms, label, masked }: PluginRecord): void {
  const level = outcome === 'threw' || outcome === 'slow' ? 'error' : 'info';
  logLine(level, 'plugin', {
    'event.action': 'filter',
    'event.duration': toNanoseconds(ms),
    'http.request.id': requestId,
    edgewise: { plugin, hook, outcome, label, masked },
  });
}
