/** Patterns of personal data and secrets in a short ASCII text. Pure. */

export const personalDataLabels = ['email', 'phone', 'id-card', 'bank-card', 'secret'] as const;
export type PersonalDataLabel = (typeof personalDataLabels)[number];

export interface PersonalData {
  label: PersonalDataLabel;
  start: number;
  end: number;
}

interface Detector {
  label: PersonalDataLabel;
  /** A cheap test before the pattern. */
  needs: RegExp;
  pattern: RegExp;
  isValid?: (found: string) => boolean;
}

/** Every quantifier is bounded or at the end, so that the time is bounded for any text. */
const detectors: readonly Detector[] = [
  {
    label: 'email',
    needs: /@/,
    pattern: /[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}/g,
  },
  {
    // Chinese mobile numbers.
    label: 'phone',
    needs: /1\d\d/,
    pattern: /(?<![\w.])(?:(?:\+|00)?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\w)/g,
  },
  {
    // Chinese landline numbers; only the hyphen distinguishes them from other numbers.
    label: 'phone',
    needs: /0\d\d/,
    pattern: /(?<![\w.-])0\d{2,3}-\d{7,8}(?![\w-])/g,
  },
  {
    // North American numbers with separators, since ten plain digits can be anything.
    label: 'phone',
    needs: /\d{3}[-. )]/,
    pattern:
      /(?<![\w.-])(?:\+?1[-. ]?)?(?:\([2-9]\d{2}\)[-. ]?|[2-9]\d{2}[-. ])[2-9]\d{2}[-. ]\d{4}(?![\w-])/g,
  },
  {
    // E.164: a plus and 8 to 15 digits.
    label: 'phone',
    needs: /\+/,
    pattern: /(?<!\w)\+[1-9](?:[-. ()]{0,2}\d){7,14}(?!\w)/g,
  },
  {
    label: 'id-card',
    needs: /\d{3}[\dXx]/,
    pattern:
      /(?<![\w.])[1-9]\d{5}[- ]?(?:19|20)\d\d[- ]?(?:0[1-9]|1[0-2])[- ]?(?:0[1-9]|[12]\d|3[01])[- ]?\d{3}[\dXx](?!\w)/g,
    isValid: isIdCard,
  },
  {
    label: 'secret',
    needs: /[-_AI]|eyJ/,
    pattern: new RegExp(
      `(?<![A-Za-z0-9])(?:${[
        'sk-[\\w-]{16,}',
        '[srp]k_(?:live|test)_[A-Za-z0-9]{16,}',
        'ew_[\\w-]{32,}',
        'gh[oprsu]_[A-Za-z0-9]{30,}',
        'github_pat_\\w{30,}',
        'glpat-[\\w-]{18,}',
        'xox[abeprs]-[A-Za-z0-9-]{16,}',
        'AIza[\\w-]{30,}',
        'A[KS]IA[A-Z0-9]{16}(?!\\w)',
        'LTAI[A-Za-z0-9]{12,}',
        'AKID[A-Za-z0-9]{16,}',
        'hf_[A-Za-z0-9]{30,}',
        'npm_[A-Za-z0-9]{36}',
        'eyJ[\\w-]{8,}\\.eyJ[\\w-]{8,}(?:\\.[\\w-]*)?',
        privateKeyHead().source,
      ].join('|')})`,
      'g',
    ),
  },
];

/** The first line of a private key (RFC 7468). */
export function privateKeyHead(): RegExp {
  return /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY-----/;
}

/** The findings in a text, in the order of their starts. They may overlap. */
export function findPersonalData(text: string): PersonalData[] {
  const found: PersonalData[] = [];
  for (const { label, needs, pattern, isValid } of detectors) {
    if (!needs.test(text)) continue;
    for (const { 0: match, index } of text.matchAll(pattern)) {
      if (isValid?.(match) ?? true) found.push({ label, start: index, end: index + match.length });
    }
  }
  if (/\d[\d -]{11}/.test(text)) found.push(...findBankCards(text));
  return found.sort((a, b) => a.start - b.start || b.end - a.end);
}

/** The check digit of a Chinese identity card (GB 11643, by ISO 7064 MOD 11-2). */
function isIdCard(written: string): boolean {
  const digits = written.replaceAll(/[- ]/g, '').toUpperCase();
  let sum = 0;
  for (let place = 0; place < 17; place++) sum += Number(digits[place]) * (2 ** (17 - place) % 11);
  return digits[17] === '10X98765432'[sum % 11];
}

/** 13 to 19 digits, plain or in groups separated by a space or hyphen, with a card's prefix and a valid Luhn digit. */
function findBankCards(text: string): PersonalData[] {
  const found: PersonalData[] = [];
  for (const { 0: row, index } of text.matchAll(/(?<![\w.])\d{4,}(?:[ -]\d+)*(?!\w)/g)) {
    const groups = [...row.matchAll(/\d+/g)].map((group) => ({
      at: group.index,
      end: group.index + group[0].length,
    }));
    for (let first = 0; first < groups.length; first++) {
      const last = lastOfCard(row, groups, first);
      if (last === undefined) continue;
      const [{ at }, { end }] = [groups[first], groups[last]] as [Group, Group];
      found.push({ label: 'bank-card', start: index + at, end: index + end });
      first = last;
    }
  }
  return found;
}

/** First digits and lengths: Visa, Mastercard, American Express, UnionPay and Discover and JCB, Diners Club. */
const cardNumber =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|(?:6[0245]|35|81)\d{14,17}|3[0689]\d{12})$/;

interface Group {
  at: number;
  end: number;
}

/** The longest card that begins with a group, by its last group. */
function lastOfCard(row: string, groups: readonly Group[], first: number): number | undefined {
  let digits = '';
  let found: number | undefined;
  for (let last = first; last < groups.length && digits.length < 19; last++) {
    const { at, end } = groups[last] as Group;
    digits += row.slice(at, end);
    if (cardNumber.test(digits) && passesLuhn(digits)) found = last;
  }
  return found;
}

/** ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]);
    sum += place % 2 === 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9;
  }
  return sum % 10 === 0;
}
