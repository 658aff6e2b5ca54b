/**
 * Digits and signs used as letters ("sh1t", "@ss"), by ASCII code; 0 for all other characters. Two readings, since 1 can
 * mean i or l.
 */
export const leetReadings: readonly [Uint8Array, Uint8Array] = [
  leetTable('0o1i3e4a5s7t8b@a$s!i|l'),
  leetTable('0o1l3e4a5s7t8b@a$s!l|i'),
];

function leetTable(pairs: string): Uint8Array {
  const table = new Uint8Array(128);
  for (let at = 0; at < pairs.length; at += 2) table[pairs.charCodeAt(at)] = pairs.charCodeAt(at + 1);
  return table;
}
