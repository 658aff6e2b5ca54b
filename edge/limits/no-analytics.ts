/** Stands for `@upstash/core-analytics` in the Worker: `@upstash/ratelimit` makes one only where analytics are switched on. */
export class Analytics {
  constructor() {
    throw new Error('Analytics are not part of this Worker.');
  }
}
