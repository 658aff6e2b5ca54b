/** The objects that the platform binds to the Worker. `env.ts` adds the text variables. */
export interface EdgeBindings {
  SESSIONS: DurableObjectNamespace;
  DIRECTORY: DurableObjectNamespace;
  ANSWERS: DurableObjectNamespace;
  MEANING: DurableObjectNamespace;
  METER: DurableObjectNamespace;
  METRICS: DurableObjectNamespace;
  ASSETS: Fetcher;
  AI?: Ai;
}
