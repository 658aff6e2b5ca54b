import type { ChatModel } from '../../shared/model/chat-model.ts';

/** Passes the trace context of the request on to the model (W3C Trace Context). */
export function withTrace(model: ChatModel, traceparent: string | undefined): ChatModel {
  if (traceparent === undefined) return model;
  return {
    name: model.name,
    stream: (request, signal) => model.stream({ ...request, traceparent }, signal),
  };
}
