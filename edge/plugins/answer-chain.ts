/** The hooks of one answer, one behind the other. Owns which of them are still in use, and what each has cost. */
import { AppError } from '../../shared/errors.ts';
import { callHook, type HookResult } from './call-hook.ts';
import type { AnswerHook, DeltaEvent, DeltaVerdict, Plugin, PluginRecord, PluginRun } from './plugin.ts';

interface Link {
  plugin: Plugin;
  /** None until it is opened, and none any more once it has failed. */
  hook: AnswerHook | undefined;
  failed?: Pick<PluginRecord, 'outcome' | 'error'>;
  refused?: string;
  masked: number;
  ms: number;
}

export interface ChainVerdict {
  events: DeltaEvent[];
  /** Why the answer must end here. */
  end?: { reason: 'refused' } | { reason: 'failed'; error: AppError };
}

export class AnswerChain {
  readonly #run: PluginRun;
  readonly #links: Link[] = [];
  /** Set once the answer has ended by a plugin's will. */
  #end: ChainVerdict['end'];

  private constructor(run: PluginRun) {
    this.#run = run;
  }

  /**
   * At once where no plugin has to wait.
   * @throws AppError `filter_unavailable` when a plugin that fails closed cannot begin
   */
  static open(run: PluginRun, signal: AbortSignal): AnswerChain | Promise<AnswerChain> {
    const chain = new AnswerChain(run);
    return chain.#open(
      run.plugins.filter(({ onDelta }) => onDelta),
      signal,
    );
  }

  #open(plugins: readonly Plugin[], signal: AbortSignal): AnswerChain | Promise<AnswerChain> {
    for (const [at, plugin] of plugins.entries()) {
      const link: Link = { plugin, hook: undefined, masked: 0, ms: 0 };
      this.#links.push(link);
      const context = { ...this.#run.context, signal };
      const opened = this.#call(link, () => plugin.onDelta?.(context));
      if (opened instanceof Promise) {
        return opened.then((hook) => {
          this.#begin(link, hook);
          return this.#open(plugins.slice(at + 1), signal);
        });
      }
      this.#begin(link, opened);
    }
    return this;
  }

  #begin(link: Link, hook: AnswerHook | undefined): void {
    if (hook) link.hook = hook;
    else if (link.plugin.onFailure === 'closed') {
      this.close();
      throw new AppError('filter_unavailable', { cause: link.plugin.name });
    }
  }

  /** At once where no hook has to wait. */
  push(event: DeltaEvent): ChainVerdict | Promise<ChainVerdict> {
    return this.#feed(event);
  }

  /** The model has said all: what each hook held back goes through those behind it. */
  end(): ChainVerdict | Promise<ChainVerdict> {
    return this.#feed(undefined);
  }

  /** Records what each plugin did. Called once. */
  close(): void {
    for (const { plugin, failed, refused, masked, ms } of this.#links) {
      const outcome = refused !== undefined ? 'refuse' : masked > 0 ? 'mask' : 'pass';
      this.#run.record({
        plugin: plugin.name,
        hook: 'delta',
        outcome,
        ms,
        ...(masked > 0 && { masked }),
        ...(refused !== undefined && { label: refused }),
        ...failed,
      });
    }
  }

  /** One event, or the end. */
  #feed(event: DeltaEvent | undefined): ChainVerdict | Promise<ChainVerdict> {
    const [only] = this.#links;
    if (only && this.#links.length === 1) return this.#passOnly(only, event);
    return event ? this.#pass([event], false) : this.#pass([], true);
  }

  #passOnly(link: Link, event: DeltaEvent | undefined): ChainVerdict | Promise<ChainVerdict> {
    const out: DeltaEvent[] = [];
    const through = this.#through(link, out, event);
    const verdict = () => (this.#end ? { events: out, end: this.#end } : { events: out });
    return through instanceof Promise ? through.then(verdict) : verdict();
  }

  async #pass(given: DeltaEvent[], isEnd: boolean): Promise<ChainVerdict> {
    let events = given;
    let isOver = isEnd;
    for (const link of this.#links) {
      const out: DeltaEvent[] = [];
      let goesOn = true;
      for (const event of events) {
        if (!goesOn) break;
        goesOn = await this.#through(link, out, event);
      }
      if (isOver && goesOn) goesOn = await this.#through(link, out, undefined);
      // What came before the end of the answer goes out whole, so those behind let go of what they hold.
      isOver ||= !goesOn;
      events = out;
    }
    return this.#end ? { events, end: this.#end } : { events };
  }

  /**
   * One event, or the end, through one hook.
   * @returns whether the answer may go on
   */
  #through(link: Link, out: DeltaEvent[], event: DeltaEvent | undefined): boolean | Promise<boolean> {
    const { hook } = link;
    const called = hook && this.#call(link, () => (event ? hook.push(event) : hook.end()));
    return called instanceof Promise
      ? called.then((verdict) => this.#judge(link, out, event, verdict))
      : this.#judge(link, out, event, called);
  }

  #judge(
    link: Link,
    out: DeltaEvent[],
    event: DeltaEvent | undefined,
    verdict: DeltaVerdict | undefined,
  ): boolean {
    const { hook, plugin } = link;
    if (verdict) {
      out.push(...verdict.events);
      link.masked += verdict.masked ?? 0;
      if (verdict.refuse === undefined) return true;
      link.refused = verdict.refuse;
      this.#end ??= { reason: 'refused' };
      return false;
    }
    link.hook = undefined;
    if (hook && plugin.onFailure === 'closed') {
      this.#end ??= { reason: 'failed', error: new AppError('filter_unavailable', { cause: plugin.name }) };
      return false;
    }
    if (hook) out.push(...heldBy(hook));
    if (event) out.push(event);
    return true;
  }

  #call<T>(link: Link, hook: () => T | Promise<T>): T | undefined | Promise<T | undefined> {
    const called = callHook(hook, link.plugin.limitMs, this.#run.now);
    return called instanceof Promise
      ? called.then((result) => this.#resultOf(link, result))
      : this.#resultOf(link, called);
  }

  #resultOf<T>(link: Link, result: HookResult<T>): T | undefined {
    link.ms += result.ms;
    if (result.outcome === 'done') return result.value;
    link.failed =
      result.outcome === 'threw' ? { outcome: 'threw', error: result.error } : { outcome: 'slow' };
    return undefined;
  }
}

/** What a hook that has failed still holds; nothing if it cannot even say that. */
function heldBy(hook: AnswerHook): DeltaEvent[] {
  try {
    return hook.held();
  } catch {
    return [];
  }
}
