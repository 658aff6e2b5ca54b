/** A response's id says where it is kept: the turn, and the session that the turn belongs to. */
import { AppError } from '../../shared/errors.ts';

export function responseId(turnId: string, sessionId: string): string {
  return `resp_${turnId}_${sessionId}`;
}

/** @throws AppError `response_not_found` for anything that is no id of ours */
export function parseResponseId(id: string): { turnId: string; sessionId: string } {
  const [, turnId, sessionId] = /^resp_([0-9a-f]{32})_([A-Za-z0-9._:-]{1,128})$/.exec(id) ?? [];
  if (turnId === undefined || sessionId === undefined) throw new AppError('response_not_found');
  return { turnId, sessionId };
}
