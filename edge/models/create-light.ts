/** The edge's light model as configured, held to its time and its length, and with a usage for every answer. */
import type { ChatModel } from '../../shared/model/chat-model.ts';
import { roughTokens, tokenEncodingFor } from '../../shared/model/token-count.ts';
import { withCountedUsage } from '../../shared/model/with-counted-usage.ts';
import { withOutputLimit } from '../../shared/model/with-output-limit.ts';
import { type TimeLimits, withTimeLimits } from '../../shared/model/with-time-limits.ts';
import { countRejectedUsage } from '../observe/count-rejected-usage.ts';
import type { Measurements } from '../observe/measurements.ts';
import { createLightModel } from './light-model.ts';
import { LIGHT_CONTEXT_LENGTH } from './model-catalog.ts';
import type { TokenCounters } from './token-counters.ts';
import { createWorkersAiModel, type WorkersAiBinding } from './workers-ai-model.ts';

/** A light model that is slow has missed its point. */
const lightTimeLimits: TimeLimits = {
  connectMs: 5000,
  firstTokenMs: 15_000,
  idleMs: 15_000,
  totalMs: 120_000,
};

/** An answer in one piece sends nothing until it is complete. */
const wholeAnswerLimits: TimeLimits = { ...lightTimeLimits, connectMs: 30_000 };

export type LightSettings = {
  model: string;
  /** Most tokens of an answer. */
  maxOutputTokens: number;
} & ({ kind: 'openai-compatible'; baseUrl: string; apiKey: string | undefined } | { kind: 'workers-ai' });

export interface LightParts {
  counters: TokenCounters;
  /** Work that goes on after the answer. */
  defer: (work: Promise<void>) => void;
  measurements: Pick<Measurements, 'count'>;
}

/** @returns nothing where no light model is configured */
export function createLight(
  light: LightSettings | undefined,
  ai: Ai | undefined,
  { counters, defer, measurements }: LightParts,
): ChatModel | undefined {
  if (!light) return undefined;
  const model =
    light.kind === 'workers-ai'
      ? createWorkersAiModel(ai as unknown as WorkersAiBinding, light.model)
      : createLightModel({ ...light, fetch: (...request) => fetch(...request), defer });
  const encoding = tokenEncodingFor(light.model);
  const prompt = withTimeLimits(model, lightTimeLimits);
  const patient = withTimeLimits(model, wholeAnswerLimits);
  const timed: ChatModel = {
    name: model.name,
    stream: (request, signal) => (request.isWhole ? patient : prompt).stream(request, signal),
  };
  const limited = withOutputLimit(
    timed,
    light.maxOutputTokens,
    encoding,
    // A vocabulary that is not here yet is not worth a reader's wait.
    () => counters.ready(encoding) ?? roughTokens,
  );
  return withCountedUsage(limited, {
    ...{ contextLength: LIGHT_CONTEXT_LENGTH, maxOutputTokens: light.maxOutputTokens, encoding },
    loadCounter: () => counters.load(encoding),
    onRejected: (rejected) => countRejectedUsage(measurements, rejected),
  });
}
