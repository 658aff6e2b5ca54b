/**
 * Digits and signs that stand for letters ("sh1t", "@ss"), by code of an ASCII character; 0 where one stands
 * for nothing. Two readings, since 1 is an i to some and an l to others.
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
