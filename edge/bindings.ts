/** The bindings as the platform passes them; text ones are unchecked until `env.ts` parses them. */
export interface EdgeBindings {
  SESSIONS: DurableObjectNamespace;
  DIRECTORY: DurableObjectNamespace;
  ANSWERS: DurableObjectNamespace;
  MEANING: DurableObjectNamespace;
  METER: DurableObjectNamespace;
  METRICS: DurableObjectNamespace;
  ASSETS: Fetcher;
  AI?: Ai;
  [name: string]: unknown;
}
