import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../shared/testing/streams.ts';
import { createMaskingStream } from './masking-stream.ts';
import type { PersonalDataLabel } from './personal-data.ts';
import { MAX_RUN, PersonalDataScanner } from './personal-data-scanner.ts';
import { growthByFour } from './testing/cpu-time.ts';

const all = new Set<PersonalDataLabel>(['email', 'phone', 'id-card', 'bank-card', 'secret']);
const open = () => createMaskingStream(new PersonalDataScanner(all), (label) => `[${label}]`);
const filter = (...pieces: string[]) => {
  const stream = open();
  return pieces.map((piece) => stream.push(piece)).join('') + stream.end();
};

const letters = (count: number) => 'aB3dE'.repeat(Math.ceil(count / 5)).slice(0, count);
const privateKey = `-----BEGIN PRIVATE KEY-----\nMIIE${letters(60)}\n${letters(64)}==\n-----END PRIVATE KEY-----`;

const found: [text: string, result: string][] = [
  ['mail to jane.doe+x@mail.example.com.', 'mail to [email].'],
  ['邮箱：someone@example.cn，谢谢', '邮箱：[email]，谢谢'],
  ['ｓｏｍｅｏｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ', '[email]'],
  ['call 13812345678', 'call [phone]'],
  ['打138-1234-5678或者139 1234 5678吧', '打[phone]或者[phone]吧'],
  ['+86 13812345678, 008613912345678', '[phone], [phone]'],
  ['１３８１２３４５６７８', '[phone]'],
  ['138\u200b1234\u200b5678', '[phone]'],
  ['座机010-62345678', '座机[phone]'],
  ['(415) 555-2671 or 415-555-2671 or +1 415 555 2671', '[phone] or [phone] or [phone]'],
  ['+44 20 7946 0958', '[phone]'],
  ['身份证11010519491231002X。', '身份证[id-card]。'],
  ['110105 19491231 002x', '[id-card]'],
  ['card 4111 1111 1111 1111 12/27', 'card [bank-card] 12/27'],
  ['6222-0212-3456-7890-128', '[bank-card]'],
  ['4111111111111111', '[bank-card]'],
  ['378282246310005', '[bank-card]'],
  [`key sk-${letters(40)}.`, 'key [secret].'],
  [`AKIA${'A1B2C3D4E5F6G7H8'}`, '[secret]'],
  [`token=ghp_${letters(36)}`, 'token=[secret]'],
  [`Bearer eyJ${letters(33)}.eyJ${letters(900)}.${letters(300)} ok`, 'Bearer [secret] ok'],
  [`the key:\n${privateKey}\nends`, 'the key:\n[secret]\nends'],
  [`-----BEGIN PRIVATE KEY-----${letters(200)}-----END PRIVATE KEY----- and more`, '[secret] and more'],
  [`-----BEGIN RSA PRIVATE KEY-----\n${letters(600)}`, '[secret]'],
];
const clean = [
  'I paid 1,234,567.89 in 2024 and 3.14159265358979 is pi',
  'order 20241120123456, unix 1700000000, room 13812',
  '身份证110105194912310021 is not valid',
  '4111 1111 1111 1112 fails its check digit',
  'user@localhost and a@b, 2001-10-12 10:30',
  'commit 3f13812345678aa and v1.13812345678',
  'sk-short, task-force, ask-me-anything-you-like',
  '-----BEGIN CERTIFICATE-----',
  'f(x) = (1 + 2) * (3 4) ((',
  letters(2000),
  `${'9 '.repeat(900)}`,
];

describe('masks', () => {
  test.each(found)('%s', (text, result) => expect(filter(text)).toBe(result));
});

describe('does not mask', () => {
  test.each(clean)('%s', (text) => expect(filter(text)).toBe(text));
});

test('gives the same result however the text is cut', () => {
  const random = seededRandom(5);
  const texts = [...found.map(([text]) => text), ...clean];
  for (let turn = 0; turn < 400; turn++) {
    let text = '';
    for (let parts = 0; parts < 4; parts++)
      text += `${texts[random(texts.length)]}${[' ', '\n', '，', ''][random(4)]}`;
    const whole = filter(text);
    const size = [2, 6, 60, 700][turn % 4] as number;
    const pieces: string[] = [];
    for (let at = 0; at < text.length; ) {
      const next = at + 1 + random(size);
      pieces.push(text.slice(at, next));
      at = next;
    }
    expect(filter(...pieces)).toBe(whole);
  }
});

test('random texts of such characters give the same result in any pieces', () => {
  const unit = fc.constantFrom(
    '1',
    '3',
    '8',
    '4',
    '5',
    '0',
    '-',
    ' ',
    '(',
    ')',
    '+',
    '@',
    '.',
    'a',
    '\u200b',
    '，',
  );
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
      expect(filter(...text)).toBe(filter(text));
    }),
    { numRuns: 3000 },
  );
});

test('holds back only the current run', () => {
  const stream = open();
  const held = [...'in 2024 (so) 12 30, 我 a@b'].map((character) => {
    stream.push(character);
    return stream.held();
  });
  expect(held.join('|')).toBe('i|in||2|20|202|2024|2024 |2024 (|s|so|||1|12|12 |12 3|12 30|||||a|a@|a@b');
});

test('the held-back text is bounded for any input', () => {
  let most = 0;
  const hostile = ['a', '1 ', '-----BEGIN ', '(', '\u200b', 'a@', 'eyJ'].map((bit) => bit.repeat(3000));
  for (const text of hostile) {
    const stream = open();
    for (const character of text) {
      stream.push(character);
      most = Math.max(most, stream.held().length);
    }
  }
  expect(most).toBeLessThanOrEqual(2 * MAX_RUN + 1);
});

test('a hostile text takes linear time', () => {
  const hostile = [
    `${'a'.repeat(500)} `,
    'a.'.repeat(250),
    '1 '.repeat(250),
    `${'a@'.repeat(250)} `,
    '+1-'.repeat(170),
  ];
  for (const text of hostile) {
    expect(growthByFour((size) => filter(text.repeat(size)), 50)).toBeLessThan(8);
  }
}, 60_000);
