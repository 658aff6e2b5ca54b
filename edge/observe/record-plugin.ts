/** What a plugin did, as measurements and a log line: names and numbers, nothing of what was said. */
import type { PluginRecord } from '../plugins/plugin.ts';
import { logLine } from './log.ts';
import type { Measurement, Measurements } from './measurements.ts';
import { toNanoseconds } from './record-turn.ts';

export type RecordPlugin = (requestId: string, record: PluginRecord) => void;

const outcomes: Record<PluginRecord['outcome'], string> = {
  pass: 'passed',
  flag: 'passed',
  change: 'changed',
  mask: 'changed',
  refuse: 'refused',
  threw: 'failed',
  slow: 'failed',
};

export function createPluginRecorder(measurements: Measurements): RecordPlugin {
  /** By what a plugin did: there are few of them, and each request counts several. */
  const known = new Map<string, { total: Measurement; seconds: Measurement }>();

  function measurementsOf({ plugin, hook, outcome }: PluginRecord) {
    const name = `${hook} ${outcome} ${plugin}`;
    let found = known.get(name);
    if (!found) {
      const text = hook === 'prompt' ? 'prompt' : 'answer';
      found = {
        total: measurements.of('edgewise_filter_total', { text, outcome: outcomes[outcome] }),
        seconds: measurements.of('edgewise_plugin_duration_seconds', { plugin, text }),
      };
      known.set(name, found);
    }
    return found;
  }

  return function recordPlugin(requestId, record) {
    const { total, seconds } = measurementsOf(record);
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
