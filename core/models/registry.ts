/**
 * Which models there are, by what names, and who answers to which. Made anew from a models file, the
 * environment and what was discovered; `live-registry.ts` keeps the current one.
 */

import { AppError } from '../../shared/errors.ts';
import type { ChatModel } from '../../shared/model/chat-model.ts';
import type { ModelInfo } from '../../shared/protocol/generation-protocol.ts';
import type { Task } from '../../shared/protocol/task-protocol.ts';
import type { Caller } from './caller.ts';
import { describeExtractive, describeModel, describeName } from './describe-models.ts';
import type { DiscoveredModel, Environment } from './discover.ts';
import { climbFor, drawOrder, type LadderOptions, type Step } from './ladder.ts';
import type { ModelsFile } from './models-file.ts';
import { type Target, targetsOf } from './target.ts';
import type { CallPolicy, TargetModel } from './target-model.ts';

export interface RegistryOptions extends Pick<LadderOptions, 'now' | 'random'> {
  file: ModelsFile;
  env: Environment;
  discovered: DiscoveredModel[];
  /** Makes a model that is called at an address. */
  createModel: (target: Target, policy: CallPolicy) => TargetModel;
  /** Needs nothing and is always there: the last resort. */
  extractive: ChatModel;
  /** How a late model is hedged; when, is the file's to say. */
  hedge: Omit<NonNullable<LadderOptions['hedge']>, 'afterMs'>;
}

export interface TaskTargets {
  maxRetries: number;
  /** @property untilMs Unix time in milliseconds until which a call may wait for its turn there */
  targets: { target: TargetModel; untilMs: number }[];
}

export interface Registry {
  /** The model that answers a caller for a name or an alias. @throws AppError `model_not_found` */
  resolve(name: string, caller: Caller): ChatModel;
  /**
   * The targets for something else than chat, in the order in which they are to be asked.
   * @throws AppError `model_not_found` when none of that name offers it
   */
  targetsFor(task: Task, name: string, caller: Caller): TaskTargets;
  /** Aliases first, then models. */
  list(): ModelInfo[];
}

export function createRegistry(options: RegistryOptions): Registry {
  const { file, env, discovered, createModel, extractive, now, random } = options;
  const { dispatch } = file;
  const policy: CallPolicy = {
    maxRetries: dispatch.max_retries,
    breaker: { failures: dispatch.breaker.failures, openMs: dispatch.breaker.open_ms },
  };
  const models = new Map<string, TargetModel>();
  for (const target of targetsOf(file, env, discovered)) models.set(target.name, createModel(target, policy));
  const aliases = aliasesOf(file, discovered, models);
  // With nothing else there, it stands whatever the file says.
  const hasLastResort = (steps: readonly Step[]) =>
    dispatch.last_resort === 'extractive' || steps.length === 0;
  const ladder = {
    patienceMs: dispatch.patience_ms,
    firstTokenMs: dispatch.first_token_budget_ms,
    hedge:
      dispatch.hedge_after_ms === undefined
        ? undefined
        : { ...options.hedge, afterMs: dispatch.hedge_after_ms },
    now,
    random,
  };

  return {
    resolve(name, caller) {
      const steps = aliases.get(name);
      if (steps)
        return climbFor(caller, {
          ...ladder,
          name,
          steps,
          lastResort: hasLastResort(steps) ? extractive : undefined,
        });
      const target = models.get(name);
      // Who names a model gets that model, and waits for it.
      if (target?.target.offers.includes('chat')) return target.callFor(caller, caller.deadlineMs);
      if (name === extractive.name) return extractive;
      throw new AppError('model_not_found', { param: 'model' });
    },
    targetsFor(task, name, caller) {
      const named = models.get(name);
      const listed = named ? [named] : inOrder(file.aliases[name] ?? [], models, random);
      const able = listed.filter(({ target }) => target.offers.includes(task));
      if (able.length === 0) throw new AppError('model_not_found', { param: 'model' });
      const soonMs = Math.min(caller.deadlineMs, now() + dispatch.patience_ms);
      const targets = able.map((target, index) => ({
        target,
        untilMs: index === able.length - 1 ? caller.deadlineMs : soonMs,
      }));
      return { maxRetries: policy.maxRetries, targets };
    },
    list() {
      const described = [...models.values()].map(describeModel);
      described.push(describeExtractive(extractive.name, described.length === 0));
      const named = [...aliases].map(([alias, steps]) => {
        const names = steps.flatMap((step) => step.map(({ target }) => target.target.name));
        if (hasLastResort(steps)) names.push(extractive.name);
        return describeName(alias, names, described);
      });
      for (const [alias, rungs] of Object.entries(file.aliases)) {
        const names = namesOf(rungs).filter((name) => models.has(name));
        if (!aliases.has(alias) && names.length > 0) named.push(describeName(alias, names, described));
      }
      return [...named, ...described];
    },
  };
}

/** Every alias with the steps that are there: first what somebody named on purpose, last what was found. */
function aliasesOf(
  file: ModelsFile,
  discovered: DiscoveredModel[],
  models: ReadonlyMap<string, TargetModel>,
): Map<string, Step[]> {
  const preferred = discovered.filter((found) => found.preferred).map(({ name }) => name);
  const others = discovered.filter((found) => !found.preferred).map(({ name }) => name);
  const aliases = new Map<string, Step[]>();
  for (const alias of new Set(['auto', 'smart', 'fast', ...Object.keys(file.aliases)])) {
    // One of models that do not chat is none to chat with.
    const names = namesOf(file.aliases[alias] ?? []);
    if (names.length > 0 && !names.some((name) => file.models[name]?.offers.includes('chat'))) continue;
    const listed = file.aliases[alias] ?? file.aliases.smart ?? [];
    const taken = new Set<string>();
    const steps = [...preferred, ...listed, ...others].map((rung) =>
      Object.entries(typeof rung === 'string' ? { [rung]: 1 } : rung).flatMap(([name, weight]) => {
        const target = models.get(name);
        if (!target?.target.offers.includes('chat') || taken.has(name)) return [];
        taken.add(name);
        return [{ target, weight }];
      }),
    );
    aliases.set(
      alias,
      steps.filter((step) => step.length > 0),
    );
  }
  return aliases;
}

function namesOf(rungs: ModelsFile['aliases'][string]): string[] {
  return rungs.flatMap((rung) => (typeof rung === 'string' ? [rung] : Object.keys(rung)));
}

/** An alias's models, in order, for a task other than chat. */
function inOrder(
  rungs: ModelsFile['aliases'][string],
  models: ReadonlyMap<string, TargetModel>,
  random: () => number,
): TargetModel[] {
  return rungs.flatMap((rung) => {
    const weights = Object.entries(typeof rung === 'string' ? { [rung]: 1 } : rung);
    const step = weights.flatMap(([name, weight]) => {
      const target = models.get(name);
      return target ? [{ target, weight }] : [];
    });
    return drawOrder(step, random);
  });
}
