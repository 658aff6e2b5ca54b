/** `/v1/memory`: what a user has chosen about being reminded. */
import * as v from 'valibot';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { Preferences } from '../memory/preferences.ts';
import type { CoreContext, CoreHandler } from './core-hono.ts';
import { parseBodyJson } from './parse-body-json.ts';

export const memorySchema = v.object({ recall_across_conversations: v.boolean('must be true or false') });

export function memoryRoute({
  preferences,
}: {
  preferences: Preferences;
}): Record<'read' | 'change', CoreHandler> {
  const answer = async (c: CoreContext) =>
    c.json({
      object: 'memory',
      recall_across_conversations: await preferences.recallsAcross(c.get('request')),
    });
  return {
    read: answer,
    async change(c) {
      const { recall_across_conversations: isOn } = parseInput(memorySchema, parseBodyJson(c));
      const { tenant, user } = c.get('request');
      await preferences.setRecallAcross({ tenant, user }, isOn);
      return answer(c);
    },
  };
}
