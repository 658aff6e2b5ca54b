/** `shared/protocol/archive-protocol.ts`, served. The edge has signed what it sends, so its shape alone is checked. */
import * as v from 'valibot';
import {
  type ArchiveAnswer,
  type ArchivedTurn,
  MAX_ARCHIVED_TURNS,
} from '../../shared/protocol/archive-protocol.ts';
import { MEMORY_TOKENS } from '../../shared/protocol/memory-protocol.ts';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { Archive } from '../archive/archive.ts';
import type { Owner } from '../db/owner.ts';
import type { CoreContext, CoreHandler } from './core-hono.ts';
import { parseBodyJson } from './parse-body-json.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = count;
const nullable = v.nullable(v.string());
const message = v.looseObject({ role: v.string() });
const turnSchema = v.object({
  turnId: v.string(),
  sessionId: nullable,
  status: v.string(),
  startedAtMs: time,
  endedAtMs: time,
  model: v.string(),
  place: nullable,
  cache: nullable,
  usage: v.nullable(v.looseObject({ inputTokens: count, outputTokens: count, estimated: v.boolean() })),
  error: nullable,
  messages: v.array(
    v.object({
      id: v.string(),
      parentId: nullable,
      turnId: v.string(),
      round: count,
      createdAtMs: time,
      message,
      position: count,
    }),
  ),
  system: v.nullable(v.array(message)),
  foldThroughRound: count,
});
const schema = v.object({
  turns: v.pipe(v.array(turnSchema), v.maxLength(MAX_ARCHIVED_TURNS)),
  notesTokens: v.pipe(v.number(), v.maxValue(MEMORY_TOKENS)),
});

type Name = 'keep' | 'session' | 'remove' | 'removeTurn';

export function archiveRoute({ archive }: { archive: Archive }): Record<Name, CoreHandler> {
  return {
    async keep(c) {
      const { turns, notesTokens } = parseInput(schema, parseBodyJson(c));
      const notes = await archive.keep(ownerOf(c), { turns: turns as ArchivedTurn[], notesTokens });
      const answer: ArchiveAnswer = { notes: notes ?? null };
      return c.json(answer);
    },
    async session(c) {
      return c.json(await archive.session(ownerOf(c), c.req.param('id') ?? ''));
    },
    async remove(c) {
      await archive.removeSession(ownerOf(c), c.req.param('id') ?? '');
      return c.json({});
    },
    async removeTurn(c) {
      const turn = { conversation: c.req.param('id') ?? '', turnId: c.req.param('turn') ?? '' };
      await archive.removeTurn(ownerOf(c), turn);
      return c.json({});
    },
  };
}

function ownerOf(c: CoreContext): Owner {
  const { tenant, user } = c.get('request');
  return { tenant, user };
}
