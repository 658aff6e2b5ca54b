/**
 * The core's real app around a scripted model, for tests that drive Session objects: what a turn's model
 * says, and how slowly, stands in the newest message as JSON ({@link Script}).
 */
import { serve } from '@hono/node-server';
import { createApp } from '../../core/app.ts';
import { parseCoreEnv } from '../../core/env.ts';
import { createGenerations } from '../../core/generations/generations.ts';
import { createMemoryGenerationLog } from '../../core/generations/memory-generation-log.ts';
import type { LiveRegistry } from '../../core/models/live-registry.ts';
import { createCoreServices } from '../../core/services.ts';
import { AppError } from '../../shared/errors.ts';
import { type ChatModel, messageText } from '../../shared/model/chat-model.ts';
import { eventStream } from '../../shared/model/event-stream.ts';
import type { ModelInfo } from '../../shared/protocol/generation-protocol.ts';

export interface Script {
  words: string[];
  /** Pause before each word, in milliseconds. */
  paceMs: number;
  /** Whether the model fails after its last word. */
  fails: boolean;
}

export interface ScriptedCore {
  /** How often the model was asked, by turn id. */
  calls: Map<string, number>;
  stop(): Promise<void>;
}

export async function startScriptedCore(port: number, serviceSecret: string): Promise<ScriptedCore> {
  const calls = new Map<string, number>();
  const model: ChatModel = {
    name: 'scripted',
    stream: (request, signal) =>
      eventStream(signal, async function* (inner) {
        const newest = request.messages.at(-1);
        const script: Script = JSON.parse(newest ? messageText(newest) : '');
        const id = String((request as { id?: string }).id);
        calls.set(id, (calls.get(id) ?? 0) + 1);
        yield { type: 'model-start', model: 'scripted', provider: 'test' };
        for (const text of script.words) {
          await new Promise((resolve) => setTimeout(resolve, script.paceMs));
          if (inner.aborted) return yield { type: 'error', error: new AppError('cancelled').toInfo() };
          yield { type: 'text-delta', text };
        }
        if (script.fails) return yield { type: 'error', error: new AppError('upstream_error').toInfo() };
        yield {
          type: 'usage',
          usage: { inputTokens: 1, outputTokens: script.words.length, estimated: false },
        };
        yield { type: 'turn-end', finishReason: 'stop' };
      }),
  };
  const info: ModelInfo = {
    id: 'auto',
    object: 'model',
    created: 0,
    owned_by: 'test',
    edgewise: {
      kind: 'alias',
      context_length: 8000,
      encoding: 'o200k_base',
      generative: true,
      place: 'core',
    },
  };
  const registry: LiveRegistry = {
    current: { resolve: () => model, list: () => [info], targetsFor: () => ({ maxRetries: 0, targets: [] }) },
    fault: undefined,
    close: () => undefined,
  };
  const generations = createGenerations({
    log: createMemoryGenerationLog(),
    resolveModel: () => model,
    maxRunning: 10_000,
    maxMs: 60_000,
    now: Date.now,
    onEnd: () => undefined,
  });
  const config = parseCoreEnv({ EDGEWISE_SERVICE_SECRET: serviceSecret });
  const services = await createCoreServices({ ...config, databaseDir: undefined }, {});
  // Keys are looked up in the database, which takes seconds to make: no test waits for that.
  await services.database.acrossTenants(async () => undefined);
  const app = createApp({ ...services, registry, generations });
  app.get('/calls', (c) => c.json(Object.fromEntries(calls)));
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port });
  return {
    calls,
    async stop() {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await services.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
