/** The edge's side of `shared/protocol/generation-protocol.ts`: the core as a {@link ChatModel}, and its list of models. */

import { AppError } from '../../shared/errors.ts';
import type { ChatModel, ChatRequest } from '../../shared/model/chat-model.ts';
import {
  decodeGenerationEvents,
  type GenerationOutcome,
  type GenerationRequest,
  type ModelList,
  type NumberedChatEvent,
} from '../../shared/protocol/generation-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import { type CoreCallOptions, createCoreCall } from './core-call.ts';
import type { CoreHealth } from './core-regions.ts';
import { readOnce, readOwned } from './read-generation.ts';

export interface CoreClientOptions extends CoreCallOptions {
  /** Resolves after that many milliseconds. */
  wait: (ms: number) => Promise<void>;
}

export interface CoreClient {
  /** A generation that lives as long as its reader. */
  model(context: RequestContext, id: string): ChatModel;
  /**
   * A generation that the core owns: it survives its reader, and a reader that loses its connection
   * attaches again. Aborting asks the core to cancel it, and the stream then ends as the core says.
   * @param place Where to begin; one that is not new is never started.
   */
  ownedModel(context: RequestContext, id: string, place: OwnedPlace): ChatModel;
  /**
   * Starts a generation that the core owns, or attaches to the one with that id.
   * @throws AppError when the core refuses or cannot be reached
   */
  start(
    context: RequestContext,
    request: GenerationRequest,
    signal: AbortSignal,
  ): Promise<AsyncIterable<NumberedChatEvent>>;
  /** The events after number `after` of a generation that the core owns. @throws AppError */
  attach(
    context: RequestContext,
    id: string,
    after: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<NumberedChatEvent>>;
  /** Ends a generation that the core owns, if it has not ended. @throws AppError */
  cancel(context: RequestContext, id: string): Promise<GenerationOutcome>;
  /** @throws AppError */
  models(context: RequestContext): Promise<ModelList>;
  /** How its regions are. Never throws. */
  health(): Promise<CoreHealth>;
}

export interface OwnedPlace {
  from: number;
  isNew: boolean;
  /** Nobody waits for it. */
  background?: boolean | undefined;
}

export function createCoreClient(options: CoreClientOptions): CoreClient {
  const { regions, now } = options;
  const call = createCoreCall(options);

  async function events(response: Response): Promise<AsyncIterable<NumberedChatEvent>> {
    if (!response.body) throw new AppError('core_unavailable');
    return decodeGenerationEvents(response.body);
  }

  async function start(context: RequestContext, request: GenerationRequest, signal: AbortSignal) {
    return events(
      await call(context, {
        method: 'POST',
        path: '/v1/generations',
        body: JSON.stringify(request),
        signal,
      }),
    );
  }

  const client: CoreClient = {
    start,

    model(context, id) {
      return {
        name: 'core',
        stream: (request, signal) =>
          readOnce(
            signal,
            (inner) => start(context, { ...pick(request), id, detached: false }, inner),
            regions.count > 1,
          ),
      };
    },

    ownedModel(context, id, { background, ...place }) {
      return {
        name: 'core',
        stream: (request, signal) =>
          readOwned({
            ...place,
            canBeginAgain: regions.count > 1,
            signal,
            start: (inner) => start(context, { ...pick(request), id, detached: true, background }, inner),
            attach: (after, inner) => client.attach(context, id, after, inner),
            cancel: () => client.cancel(context, id),
            wait: options.wait,
            now,
          }),
      };
    },

    async attach(context, id, after, signal) {
      const path = `/v1/generations/${encodeURIComponent(id)}/events?after=${after}`;
      const isFound = async ({ status }: Response) => status !== 404;
      return events(await call(context, { method: 'GET', path, signal, isFound }));
    },

    async cancel(context, id) {
      const path = `/v1/generations/${encodeURIComponent(id)}/cancel`;
      return (await call(context, { method: 'POST', path, isFound: isKnown })).json();
    },

    async models(context) {
      return (await call(context, { method: 'GET', path: '/v1/models' })).json();
    },

    health: () => regions.health(),
  };
  return client;
}

function pick({ model, messages, params, recall }: ChatRequest): ChatRequest {
  return { model, messages, params, recall };
}

async function isKnown(answer: Response): Promise<boolean> {
  const { status } = (await answer.clone().json()) as GenerationOutcome;
  return status !== 'unknown';
}
