/**
 * Leaves a model alone for a while that has failed again and again, and then tries it with one call. The circuit is
 * cockatiel's; a caller's mistake and a caller's stop are no failures of the model.
 */
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
  IsolatedCircuitError,
} from 'cockatiel';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import {
  type ChatEvent,
  type ChatModel,
  type ChatStream,
  isTerminal,
} from '../../shared/model/chat-model.ts';
import { eventStream } from '../../shared/stream/event-stream.ts';

export interface BreakerOptions {
  /** Failures in a row that open the circuit. */
  failures: number;
  /** How long it stays open before a call may try, in milliseconds. */
  openMs: number;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/** What is known of one target; its calls share it. */
export interface Breaker {
  readonly state: BreakerState;
  /** @throws AppError `upstream_unavailable` while the circuit is open */
  enter(): Promise<OpenCall>;
}

interface OpenCall {
  /** Says how the call went; the first word counts. `unknown`: nothing was learnt. */
  end(outcome: 'good' | 'failed' | 'unknown'): void;
}

/** Failures that say something about the model, and nothing about who asked. */
const modelFailures: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'upstream_error',
  'upstream_cut',
  'upstream_invalid',
  'upstream_unavailable',
  'upstream_overloaded',
  'upstream_auth_failed',
  'connect_timeout',
  'first_token_timeout',
  'idle_timeout',
]);

/** Ends that came before the model could show anything. */
const unknownEnds: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'cancelled',
  'model_busy',
  'deadline_exceeded',
]);

const states: Record<CircuitState, BreakerState> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
};

export function createBreaker({ failures, openMs }: BreakerOptions): Breaker {
  const circuit = circuitBreaker(handleAll, {
    halfOpenAfter: openMs,
    breaker: new ConsecutiveBreaker(failures),
  });
  return {
    get state() {
      return states[circuit.state];
    },
    async enter() {
      // The circuit judges a call by its end, and is asked before its beginning.
      const ended = Promise.withResolvers<void>();
      const admitted = Promise.withResolvers<void>();
      const verdict = circuit.execute(() => {
        admitted.resolve();
        return ended.promise;
      });
      verdict.catch((error) => admitted.reject(error));
      try {
        await admitted.promise;
      } catch (error) {
        const isOpen = error instanceof BrokenCircuitError || error instanceof IsolatedCircuitError;
        throw new AppError('upstream_unavailable', {
          retryAfterMs: openMs,
          ...(!isOpen && { cause: error }),
        });
      }
      return {
        end(outcome) {
          // A try that taught nothing leaves an open circuit open.
          const isGood =
            outcome === 'good' || (outcome === 'unknown' && circuit.state === CircuitState.Closed);
          if (isGood) ended.resolve();
          else ended.reject(new Error(outcome));
        },
      };
    },
  };
}

export function withBreaker(model: ChatModel, breaker: Breaker): ChatModel {
  async function* guarded(events: () => ChatStream): AsyncGenerator<ChatEvent, void, void> {
    let call: OpenCall;
    try {
      call = await breaker.enter();
    } catch (error) {
      return yield { type: 'error', error: (error as AppError).toInfo() };
    }
    try {
      for await (const event of events()) {
        // The verdict stands before the reader hears the end, and may ask again.
        if (isTerminal(event)) call.end(outcomeOf(event));
        yield event;
      }
    } finally {
      call.end('unknown');
    }
  }
  return {
    name: model.name,
    stream: (request, signal) => eventStream(signal, (inner) => guarded(() => model.stream(request, inner))),
  };
}

function outcomeOf(event: ChatEvent): 'good' | 'failed' | 'unknown' {
  return event.type === 'error' ? failureOutcome(event.error.code) : 'good';
}

/** What a call that ended so says of the model. */
export function failureOutcome(code: ErrorCode): 'good' | 'failed' | 'unknown' {
  if (modelFailures.has(code)) return 'failed';
  // An answer that refuses the request is an answer.
  return unknownEnds.has(code) ? 'unknown' : 'good';
}
