import { describe, expect, test } from 'vitest';
import { type DeploymentSteps, deploy, rollback } from './deployment.ts';

function stepsOf(more: Partial<DeploymentSteps> = {}) {
  const done: string[] = [];
  const steps: DeploymentSteps = {
    build: async () => void done.push('build'),
    pendingMigrations: async () => ['0004_more'],
    migrate: async () => void done.push('migrate'),
    wrangler: async (args) => {
      done.push(`wrangler ${args.join(' ')}`);
      return '';
    },
    isWell: async () => {
      done.push('look');
      return true;
    },
    say: () => undefined,
    ...more,
  };
  return { done, steps };
}
const options = { environment: 'production', isDry: false, message: 'abc' };

describe('a deployment', () => {
  test('changes the tables, then the edge, and looks', async () => {
    const { done, steps } = stepsOf();
    await deploy(options, steps);
    expect(done).toEqual(['build', 'migrate', 'wrangler deploy --message abc', 'look']);
  });

  test('that is dry changes nothing', async () => {
    const { done, steps } = stepsOf();
    await deploy({ ...options, isDry: true }, steps);
    expect(done).toEqual(['build', 'wrangler deploy --dry-run']);
  });

  test('leaves tables alone that are up to date, or that nobody named', async () => {
    for (const pending of [[], undefined]) {
      const { done, steps } = stepsOf({ pendingMigrations: async () => pending });
      await deploy(options, steps);
      expect(done).not.toContain('migrate');
    }
  });

  test('that is not well is taken back, and says so', async () => {
    const { done, steps } = stepsOf({ isWell: async () => false });
    await expect(deploy(options, steps)).rejects.toThrow('taken back');
    expect(done.at(-1)).toBe('wrangler rollback --message it was not well after its deployment --yes');
  });

  test.each(['build', 'migrate'] as const)('goes no further when %s fails', async (step) => {
    const { done, steps } = stepsOf({ [step]: () => Promise.reject(new Error('no')) });
    await expect(deploy(options, steps)).rejects.toThrow('no');
    expect(done.filter((one) => one.startsWith('wrangler'))).toEqual([]);
  });
});

test('a rollback asks wrangler and nobody else', async () => {
  const { done, steps } = stepsOf();
  await rollback('by hand', steps);
  expect(done).toEqual(['wrangler rollback --message by hand --yes']);
});
