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
import { AppError } from '../../shared/errors.ts';
import { type ChatEvent, type ChatModel, isTerminal } from '../../shared/model/chat-model.ts';
import { layer } from '../../shared/model/layer.ts';
import { failureRule } from '../../shared/model/upstream-errors.ts';

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
  return layer(model, async function* ({ request, signal, read }) {
    let call: OpenCall;
    try {
      call = await breaker.enter();
    } catch (error) {
      return yield [{ type: 'error', error: (error as AppError).toInfo() }];
    }
    try {
      for await (const events of read(model.stream(request, signal))) {
        const last = events.at(-1);
        // The call is judged before its reader gets the end, since the reader may call again at once.
        if (last && isTerminal(last)) call.end(outcomeOf(last));
        yield events;
      }
    } finally {
      call.end('unknown');
    }
  });
}

function outcomeOf(event: ChatEvent): 'good' | 'failed' | 'unknown' {
  return event.type === 'error' ? failureRule(event.error.code).breaker : 'good';
}
