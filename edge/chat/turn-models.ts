/** The model that a choice stands for (step 7): the light model's ladder at the edge, or the core. */
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel } from '../../shared/model/chat-model.ts';
import { roughTokens } from '../../shared/model/token-count.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { CoreClient } from '../core-client/core-client.ts';
import { lightRoom } from '../models/model-catalog.ts';
import type { ModelChoice, ModelPlace } from '../models/model-choice.ts';
import type { TokenCounters } from '../models/token-counters.ts';
import { withTrace } from '../models/with-trace.ts';
import { createLightLadder } from './light-ladder.ts';

export interface TurnCall {
  context: RequestContext;
  turnId: string;
  choice: ModelChoice;
  place: ModelPlace;
}

export interface TurnModels {
  /** For a request without a session: every call lives as long as its reader. */
  stateless(call: TurnCall): ChatModel;
  /** For a session's turn: the core owns a heavy generation, which is resumed after a restart. */
  session(call: TurnCall & { background?: boolean | undefined }): ChatModel;
}

export interface TurnModelsOptions {
  light: ChatModel | undefined;
  core: Pick<CoreClient, 'model' | 'ownedModel'>;
  counters: Pick<TokenCounters, 'ready'>;
}

export function createTurnModels({ light, core, counters }: TurnModelsOptions): TurnModels {
  function lightLadder({ context, turnId, choice }: TurnCall): ChatModel {
    if (!light)
      throw new AppError('internal_error', { cause: 'the router chose a light model where there is none' });
    return createLightLadder(
      {
        light: withTrace(light, context.traceparent),
        room: lightRoom(light.name),
        // A vocabulary that is not here yet is not worth a reader's wait.
        loadCounter: async (encoding) => counters.ready(encoding) ?? roughTokens,
        core: core.model(context, turnId),
      },
      choice,
    );
  }

  return {
    stateless: (call) =>
      call.choice.route.place === 'edge' ? lightLadder(call) : core.model(call.context, call.turnId),
    session(call) {
      const { context, turnId, place, background } = call;
      if (call.choice.route.place === 'core')
        return core.ownedModel(context, turnId, { ...place, background });
      return place.isNew ? lightLadder(call) : lostModel;
    },
  };
}

/** A light answer lives in the memory of one object: when that is lost, no more of it can come. */
const lostModel: ChatModel = {
  name: 'lost',
  stream: () =>
    new ReadableStream<ChatEvent>({
      start(controller) {
        controller.enqueue({ type: 'error', error: new AppError('generation_lost').toInfo() });
        controller.close();
      },
    }),
};
