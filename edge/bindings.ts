/** The objects that the platform binds to the Worker. The text variables stand in `env.ts`. */
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
