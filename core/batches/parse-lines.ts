/** The lines of a batch's input file: each a request with a name of its own. All faults are reported, as many as fit. */
import * as v from 'valibot';
import { AppError } from '../../shared/errors.ts';
import type { BatchEndpoint, BatchFault } from '../../shared/protocol/batch-protocol.ts';
import { parseChatCompletionRequest } from '../../shared/wire/chat-schema.ts';

export interface BatchLine {
  customId: string;
  /** JSON. */
  body: string;
}

const MAX_LINES = 50_000;
const MAX_FAULTS = 100;

const lineSchema = v.object({
  custom_id: v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'), v.maxLength(512)),
  method: v.literal('POST', 'must be "POST"'),
  url: v.string('must be a string'),
  body: v.looseObject({ model: v.string('must be a string') }, 'must be an object'),
});

/** @returns the lines, or what is wrong with them */
export function parseLines(
  lines: readonly string[],
  endpoint: BatchEndpoint,
): { lines: BatchLine[] } | { faults: BatchFault[] } {
  const faults: BatchFault[] = [];
  const parsed: BatchLine[] = [];
  const seen = new Set<string>();
  const addFault = (index: number | undefined, code: string, message: string, param: string | null = null) =>
    faults.push({ code, message, line: index === undefined ? null : index + 1, param });

  if (lines.length === 1 && lines[0] === '') addFault(undefined, 'empty_file', 'The file holds no line.');
  else if (lines.length > MAX_LINES)
    addFault(undefined, 'too_many_lines', `The file holds more than ${MAX_LINES} lines.`);
  else {
    for (const [index, text] of lines.entries()) {
      if (faults.length >= MAX_FAULTS) break;
      let json: unknown;
      try {
        json = JSON.parse(text);
      } catch {
        addFault(index, 'invalid_json_line', 'The line is not valid JSON.');
        continue;
      }
      const { success, output, issues } = v.safeParse(lineSchema, json, { abortEarly: true });
      if (!success) {
        const path = v.getDotPath(issues[0]);
        addFault(index, 'invalid_line', `'${path}' ${issues[0].message}.`, path);
        continue;
      }
      const { custom_id: customId, url, body } = output;
      if (url !== endpoint) addFault(index, 'mismatched_endpoint', `'url' must be '${endpoint}'.`, 'url');
      if (seen.has(customId))
        addFault(index, 'duplicate_custom_id', 'The custom_id stands twice.', 'custom_id');
      const wrong = endpoint === '/v1/chat/completions' ? faultOf(body) : undefined;
      if (wrong)
        addFault(index, wrong.code, wrong.message, wrong.param === undefined ? null : `body.${wrong.param}`);
      seen.add(customId);
      parsed.push({ customId, body: JSON.stringify(body) });
    }
  }
  return faults.length > 0 ? { faults } : { lines: parsed };
}

function faultOf(body: unknown): AppError | undefined {
  try {
    parseChatCompletionRequest(body);
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}
