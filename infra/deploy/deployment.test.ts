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
    isHealthy: async () => {
      done.push('health check');
      return true;
    },
    print: () => undefined,
    ...more,
  };
  return { done, steps };
}
const options = { environment: 'production', isDry: false, message: 'abc' };

describe('a deployment', () => {
  test('migrates, deploys the edge, and checks its health', async () => {
    const { done, steps } = stepsOf();
    await deploy(options, steps);
    expect(done).toEqual(['build', 'migrate', 'wrangler deploy --message abc', 'health check']);
  });

  test('that is dry changes nothing', async () => {
    const { done, steps } = stepsOf();
    await deploy({ ...options, isDry: true }, steps);
    expect(done).toEqual(['build', 'wrangler deploy --dry-run']);
  });

  test('skips the migration when tables are up to date, or when no database is configured', async () => {
    for (const pending of [[], undefined]) {
      const { done, steps } = stepsOf({ pendingMigrations: async () => pending });
      await deploy(options, steps);
      expect(done).not.toContain('migrate');
    }
  });

  test('that is unhealthy is rolled back, with an error', async () => {
    const { done, steps } = stepsOf({ isHealthy: async () => false });
    await expect(deploy(options, steps)).rejects.toThrow('rolled back');
    expect(done.at(-1)).toBe('wrangler rollback --message unhealthy after its deployment --yes');
  });

  test.each(['build', 'migrate'] as const)('stops when %s fails', async (step) => {
    const { done, steps } = stepsOf({ [step]: () => Promise.reject(new Error('no')) });
    await expect(deploy(options, steps)).rejects.toThrow('no');
    expect(done.filter((one) => one.startsWith('wrangler'))).toEqual([]);
  });
});

test('a rollback only calls wrangler', async () => {
  const { done, steps } = stepsOf();
  await rollback('by hand', steps);
  expect(done).toEqual(['wrangler rollback --message by hand --yes']);
});
