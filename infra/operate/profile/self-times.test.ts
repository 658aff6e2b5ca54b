import { expect, test } from 'vitest';
import { toReport, toSelfTimes } from './self-times.ts';

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });

test('each function has its self time, and idle time is left out', () => {
  const times = toSelfTimes({
    nodes: [
      { id: 1, callFrame: frame('(root)') },
      { id: 2, callFrame: frame('(idle)') },
      { id: 3, callFrame: frame('parse', 'file:///app/shared/sse.ts', 41) },
      { id: 4, callFrame: frame('', 'file:///app/node_modules/hono/dist/hono.js', 9) },
      { id: 5, callFrame: frame('(garbage collector)') },
      // The same function, called from another place.
      { id: 6, callFrame: frame('parse', 'file:///app/shared/sse.ts', 41) },
    ],
    samples: [1, 2, 3, 4, 6, 5, 3],
    timeDeltas: [0, 100, 5000, 3000, 1000, 2000, 1000],
  });
  expect(times).toEqual([
    { name: 'parse (sse.ts:42)', ms: 5, share: 5 / 7 },
    { name: '(anonymous) (hono/dist/hono.js:10)', ms: 1, share: 1 / 7 },
    { name: '(garbage collector)', ms: 1, share: 1 / 7 },
  ]);
  expect(toReport(times, 1)).toBe('  71.4 %      5 ms  parse (sse.ts:42)');
});

test('an empty profile gives an empty report', () => {
  expect(toReport(toSelfTimes({ nodes: [], samples: [], timeDeltas: [] }), 10)).toBe('');
});
