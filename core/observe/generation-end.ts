/** How a generation ended: what the log line, the metrics and the span of it say. */
import type { FallbackMark } from '../../shared/model/chat-model.ts';
import type { TraceContext } from '../../shared/observe/trace-context.ts';

export interface GenerationEnd {
  requestId: string;
  /** The name that was asked for, until a model answers. */
  model: string;
  /** Of the model that answered, if one did. */
  provider: string | undefined;
  fallback: FallbackMark | undefined;
  /** To the first word. */
  firstTokenMs: number | undefined;
  durationMs: number;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  /** The error's code, when it ended in one. */
  error: string | undefined;
  /** Its span, and the one that it is part of, when it is traced. */
  trace: (TraceContext & { parentSpanId: string }) | undefined;
}
