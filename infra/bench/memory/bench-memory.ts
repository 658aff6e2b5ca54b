import { readdir, readFile } from 'node:fs/promises';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { messageText } from '../../../shared/model/chat-model.ts';
import { say } from '../../e2e/scripted-upstream.ts';
import { type System, startSystem } from '../../e2e/system.ts';
import { runCommand } from '../../local/command.ts';

const TURNS = 300;
const WINDOW_TOKENS = 2048;
/** Of Linux's process times. */
const MS_A_TICK = 10;
/** What is said in which turn, and the question that needs it, at the end. */
const facts = [
  {
    turn: 3,
    said: 'My locker code is 4711 and it must never be changed.',
    asked: 'What is my locker code?',
    sign: '4711',
  },
  { turn: 40, said: '我女儿叫小雨，她对花生过敏。', asked: '我女儿对什么过敏？', sign: '花生' },
  {
    turn: 90,
    said: 'We decided to launch in Lisbon on the 14th of May.',
    asked: 'When and where do we launch?',
    sign: 'Lisbon',
  },
  {
    turn: 150,
    said: 'The budget for the kitchen is at most 12,500 euros.',
    asked: 'How much may the kitchen cost?',
    sign: '12,500',
  },
  {
    turn: 220,
    said: 'I prefer trains to planes.',
    asked: 'Should I book a train or a plane for myself?',
    sign: 'trains to planes',
  },
];

interface Turn {
  promptTokens: number;
  wallMs: number;
  /** Of edge and core together. */
  cpuMs: number;
}

await runCommand({
  name: 'npm run bench:memory',
  summary:
    'Holds a conversation of 300 turns with the memory on and off. Prints the sizes of prompts, the cost of early and late ' +
    'turns, and which facts still reach the model at the end. Fails when the memory loses a fact or grows.',
  example: 'npm run bench:memory',
  run: compareMemory,
});

async function compareMemory(): Promise<void> {
  const plain = await converse({ EDGEWISE_ARCHIVE: 'off' });
  const remembering = await converse({ EDGEWISE_ARCHIVE: 'on' });
  const rows = [
    ['', 'plain truncation', 'with memory'],
    ...[10, 100, 200, 300].map((turn) => [
      `prompt tokens, turn ${turn}`,
      String(plain.turns[turn - 1]?.promptTokens),
      String(remembering.turns[turn - 1]?.promptTokens),
    ]),
    ['largest prompt, tokens', String(largest(plain.turns)), String(largest(remembering.turns))],
    ['CPU of a turn, turns 250-300 / 20-70', ratio(plain.turns, 'cpuMs'), ratio(remembering.turns, 'cpuMs')],
    [
      'time of a turn, turns 250-300 / 20-70',
      ratio(plain.turns, 'wallMs'),
      ratio(remembering.turns, 'wallMs'),
    ],
    ...facts.map(({ turn, sign }) => [
      `said in turn ${turn} (${sign}), before the model at the end`,
      plain.found.has(turn) ? 'yes' : 'no',
      remembering.found.has(turn) ? 'yes' : 'no',
    ]),
  ];
  console.log(
    `${TURNS} turns, a window of ${WINDOW_TOKENS} tokens, facts said once, between small talk with numbers in it\n`,
  );
  for (const [index, row] of rows.entries()) {
    console.log(`| ${row.join(' | ')} |`);
    if (index === 0) console.log('|---|---|---|');
  }
  const faults = [
    largest(remembering.turns) > WINDOW_TOKENS && 'a prompt is larger than the window',
    ...facts.map(({ turn }) => !remembering.found.has(turn) && `what was said in turn ${turn} is lost`),
    growth(remembering.turns, 'cpuMs') > 1.5 && 'a late turn takes more CPU than an early one',
    growth(remembering.turns, 'promptTokens') > 1.5 && 'a late prompt is larger than an early one',
  ].filter(Boolean);
  if (faults.length > 0) throw new Error(faults.map((fault) => `FAULT: ${fault}`).join('\n'));
}

async function converse(env: Record<string, string>): Promise<{ turns: Turn[]; found: Set<number> }> {
  const system = await startSystem({ env: { EDGEWISE_WINDOW_TOKENS: String(WINDOW_TOKENS), ...env } });
  try {
    const session_id = 'long';
    const turns: Turn[] = [];
    for (let turn = 1; turn <= TURNS; turn++) {
      const said = facts.find((fact) => fact.turn === turn)?.said ?? smallTalk(turn);
      turns.push(await measure(system, said, session_id));
    }
    const found = new Set<number>();
    for (const { turn, asked, sign } of facts) {
      await (await system.chat(asked, { session_id })).text();
      if (promptOf(system).includes(sign)) found.add(turn);
    }
    return { turns, found };
  } finally {
    await system.stop();
  }
}

async function measure(system: System, said: string, session_id: string): Promise<Turn> {
  system.upstream.behave(
    say(`There are ${said.length} things to say about that. Some of them are quite interesting.`),
  );
  const cpuBefore = await cpuMs();
  const startMs = performance.now();
  await (await system.chat(said, { session_id })).text();
  const wallMs = performance.now() - startMs;
  // What goes on after the answer is part of its cost.
  await new Promise((resolve) => setTimeout(resolve, 15));
  return { wallMs, cpuMs: (await cpuMs()) - cpuBefore, promptTokens: countTokens(promptOf(system)) };
}

function promptOf(system: System): string {
  return (system.upstream.calls.at(-1)?.body.messages ?? []).map(messageText).join('\n');
}

function smallTalk(turn: number): string {
  const subjects = [
    'the weather',
    'a film',
    'bread',
    'old maps',
    'a game of chess',
    'gardens',
    '音乐',
    '电影',
  ];
  const subject = subjects[turn % subjects.length];
  return turn % 3 === 0
    ? `Yesterday I saw ${turn} pictures of ${subject}, and some of them were nice.`
    : `What could one say about ${subject} in ${turn} words or so? ${'Just for the sake of it. '.repeat(4)}`;
}

/** User and system time of the processes that this one has started, and theirs, in milliseconds (`/proc`, Linux). */
async function cpuMs(): Promise<number> {
  const stats = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')),
  );
  const processes = stats.filter(Boolean).map((stat) => {
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      pid: Number(stat.split(' ')[0]),
      parent: Number(fields[1]),
      ticks: Number(fields[11]) + Number(fields[12]),
    };
  });
  const ours = new Set([process.pid]);
  let ticks = 0;
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent, ticks: own } of processes) {
      if (ours.has(pid) || !ours.has(parent)) continue;
      ours.add(pid);
      ticks += own;
      grown = true;
    }
  }
  return ticks * MS_A_TICK;
}

function largest(turns: Turn[]): number {
  return Math.max(...turns.map(({ promptTokens }) => promptTokens));
}

function growth(turns: Turn[], field: keyof Turn): number {
  return mean(turns.slice(250), field) / mean(turns.slice(19, 70), field);
}

function ratio(turns: Turn[], field: keyof Turn): string {
  return `${growth(turns, field).toFixed(2)} (${mean(turns.slice(250), field).toFixed(1)} ms)`;
}

function mean(turns: Turn[], field: keyof Turn): number {
  return turns.reduce((sum, turn) => sum + turn[field], 0) / turns.length;
}
