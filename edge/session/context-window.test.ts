import { describe, expect, test } from 'vitest';
import type { ChatMessage, ChatRole } from '../../shared/model/chat-model.ts';
import { REPLY_PRIMING_TOKENS } from '../../shared/model/token-count.ts';
import { seededRandom } from '../../shared/testing/streams.ts';
import { type CountedMessage, fitWindow } from './context-window.ts';

function counted(
  role: ChatRole,
  content: string,
  tokens: number,
  more: Partial<ChatMessage> = {},
): CountedMessage {
  return { message: { role, content, ...more }, tokens };
}
const round = (name: string, tokens: number) => [
  counted('user', `q${name}`, tokens),
  counted('assistant', `a${name}`, tokens),
];
const texts = (messages: ChatMessage[]) => messages.map(({ content }) => content);

describe('fitWindow', () => {
  const system = [counted('system', 's', 10)];
  const newest = [counted('user', 'new', 10)];
  const history = ['1', '2', '3', '4'].flatMap((name) => round(name, 10));
  const fitted = (rounds: number, tokens: number) =>
    fitWindow({ system, history, newest, earlierRounds: 2 }, { rounds, tokens });

  test('keeps the newest rounds, whole, between system prompt and newest message', () => {
    const window = fitted(2, 1000);
    expect(texts(window.messages)).toEqual(['s', 'q3', 'a3', 'q4', 'a4', 'new']);
    expect(window).toMatchObject({ rounds: 2, roundsDropped: 4, tokens: 60 + REPLY_PRIMING_TOKENS });
  });

  test('tests before it adds: a round that fits exactly is in, one token less and it is out', () => {
    const exact = 20 + 20 + REPLY_PRIMING_TOKENS;
    expect(fitted(5, exact)).toMatchObject({ rounds: 1, tokens: exact });
    expect(fitted(5, exact - 1)).toMatchObject({ rounds: 0, tokens: 20 + REPLY_PRIMING_TOKENS });
  });

  test('does not skip a large round for an older small one', () => {
    const uneven = [...round('old', 1), ...round('large', 100), ...round('young', 1)];
    const window = fitWindow(
      { system: [], history: uneven, newest, earlierRounds: 0 },
      { rounds: 9, tokens: 40 },
    );
    expect(texts(window.messages)).toEqual(['qyoung', 'ayoung', 'new']);
    expect(window.roundsDropped).toBe(2);
  });

  test('refuses what cannot fit at all', () => {
    expect(fitted(5, 20 + REPLY_PRIMING_TOKENS).rounds).toBe(0);
    expect(() => fitted(5, 19 + REPLY_PRIMING_TOKENS)).toThrow(
      expect.objectContaining({ code: 'context_length_exceeded' }),
    );
  });

  const calls = (...ids: string[]) => ({
    tool_calls: ids.map((id) => ({
      id,
      type: 'function' as const,
      function: { name: 'f', arguments: '{}' },
    })),
  });

  test('tool results go with the round that called the tools', () => {
    const called = [...round('1', 10), counted('user', 'q', 10), counted('assistant', '', 10, calls('a'))];
    const results = [counted('tool', 'result', 10, { tool_call_id: 'a' })];
    const input = { system: [], history: called, newest: results, earlierRounds: 0 };
    expect(texts(fitWindow(input, { rounds: 0, tokens: 100 }).messages)).toEqual(['q', '', 'result']);
    expect(() => fitWindow(input, { rounds: 5, tokens: 30 })).toThrow(
      expect.objectContaining({ code: 'context_length_exceeded' }),
    );
  });

  test('drops calls that were never answered, and the message when nothing else is in it', () => {
    const left = [
      counted('user', 'q1', 1),
      counted('assistant', 'let me see', 1, calls('a', 'b')),
      counted('tool', 'ra', 1, { tool_call_id: 'a' }),
      counted('user', 'q2', 1),
      counted('assistant', '', 1, calls('c')),
    ];
    const { messages } = fitWindow(
      { system: [], history: left, newest, earlierRounds: 0 },
      { rounds: 9, tokens: 99 },
    );
    expect(texts(messages)).toEqual(['q1', 'let me see', 'ra', 'q2', 'new']);
    expect(messages[1]?.tool_calls?.map(({ id }) => id)).toEqual(['a']);
  });

  test('an answer in a later round does not count for an earlier call with the same id', () => {
    const reused = [
      counted('user', 'q1', 1),
      counted('assistant', '', 1, calls('call_0')),
      counted('user', 'q2', 1),
      counted('assistant', '', 1, calls('call_0')),
      counted('tool', 'r2', 1, { tool_call_id: 'call_0' }),
    ];
    const input = { system: [], history: reused, newest, earlierRounds: 0 };
    const { messages } = fitWindow(input, { rounds: 9, tokens: 99 });
    expect(texts(messages)).toEqual(['q1', 'q2', '', 'r2', 'new']);
  });

  test('holds its rules for any conversation', () => {
    for (let seed = 0; seed < 500; seed++) {
      const random = seededRandom(seed);
      const rounds = Array.from({ length: random(12) }, (_, index) => [
        counted('user', `u${index}`, 1 + random(30)),
        ...Array.from({ length: random(4) }, (_none, part) =>
          counted('assistant', `a${index}.${part}`, 1 + random(30)),
        ),
      ]);
      const input = {
        system: random(2) ? system : [],
        history: rounds.flat(),
        newest,
        earlierRounds: random(5),
      };
      const limits = { rounds: random(8), tokens: 30 + random(300) };
      const window = fitWindow(input, limits);
      const kept = rounds.slice(rounds.length - window.rounds);
      expect(texts(window.messages), `seed ${seed}`).toEqual(
        texts([...input.system, ...kept.flat(), ...newest].map(({ message }) => message)),
      );
      const tokens = [...input.system, ...kept.flat(), ...newest].reduce(
        (sum, one) => sum + one.tokens,
        REPLY_PRIMING_TOKENS,
      );
      expect(window.tokens).toBe(tokens);
      expect(tokens).toBeLessThanOrEqual(limits.tokens);
      expect(window.rounds).toBeLessThanOrEqual(limits.rounds);
      expect(window.rounds + window.roundsDropped).toBe(rounds.length + input.earlierRounds);
      const next = rounds.at(-1 - window.rounds);
      if (next && window.rounds < limits.rounds) {
        expect(tokens + next.reduce((sum, one) => sum + one.tokens, 0)).toBeGreaterThan(limits.tokens);
      }
    }
  });
});
