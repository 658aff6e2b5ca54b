import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { modelStart, turnEnd } from '../../shared/testing/scripted-model.ts';
import { describeGenerationLog } from './generation-log.contract.ts';
import { createMemoryGenerationLog, KEEP_MS } from './memory-generation-log.ts';

const nobody = () => undefined;

describeGenerationLog('the memory log', async () => createMemoryGenerationLog());

describe('its bounds', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('forgets a generation some time after its end', async () => {
    const log = createMemoryGenerationLog();
    await log.open('k', nobody);
    await log.append('k', modelStart);
    vi.advanceTimersByTime(2 * KEEP_MS);
    expect(await log.state('k')).toBe('running');
    await log.append('k', turnEnd);
    vi.advanceTimersByTime(KEEP_MS - 1);
    expect(await log.state('k')).toBe('finished');
    vi.advanceTimersByTime(1);
    expect(await log.state('k')).toBe('unknown');
  });

  test('keeps no more finished text than its bound, oldest out first', async () => {
    const log = createMemoryGenerationLog();
    const large = {
      type: 'tool-call-delta' as const,
      index: 0,
      arguments: 'x'.repeat(20 * 1024 * 1024),
    };
    for (const key of ['a', 'b', 'c']) {
      await log.open(key, nobody);
      await log.append(key, large);
      await log.append(key, turnEnd);
    }
    expect(await log.state('a')).toBe('unknown');
    expect(await log.state('b')).toBe('unknown');
    expect(await log.state('c')).toBe('finished');
  });
});
