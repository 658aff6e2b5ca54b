import type { ChatModel } from '../../shared/model/chat-model.ts';

/** A model that is told which trace its call belongs to (W3C Trace Context): the span of the request that asks it. */
export function withTrace(model: ChatModel, traceparent: string | undefined): ChatModel {
  if (traceparent === undefined) return model;
  return {
    name: model.name,
    stream: (request, signal) => model.stream({ ...request, traceparent }, signal),
  };
}
