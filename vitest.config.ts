import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { freePort } from './infra/local/ports.ts';

/** Where the core of the `workers` tests listens; its secret is for tests alone. */
const secret = 'a service secret that is only for tests';
// This file is read more than once; the port must stay.
process.env.WORKERS_TEST_CORE_PORT ??= String(await freePort());
process.env.WORKERS_TEST_SECRET = secret;

export default defineConfig({
  test: {
    // What the parts log is worth reading when a test has failed.
    silent: 'passed-only',
    // `npm run coverage`: of the node project alone, since v8 cannot measure workerd or the processes of e2e.
    coverage: {
      provider: 'v8',
      include: ['{shared,core,edge,infra}/**/*.ts', 'edge/web/**/*.tsx'],
      exclude: ['**/*.{test,contract}.ts', '**/testing/**', 'infra/{bench,cli,e2e}/**'],
      reporter: ['text-summary', 'html'],
    },
    projects: [
      {
        test: {
          name: 'node',
          include: ['{shared,core,edge,infra}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.workers.test.ts', 'infra/e2e/**'],
          // Some open a real database, which takes seconds on a busy machine.
          testTimeout: 60_000,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: {
                EDGEWISE_CORE_URL: `http://127.0.0.1:${process.env.WORKERS_TEST_CORE_PORT}`,
                EDGEWISE_SERVICE_SECRET: secret,
                EDGEWISE_CACHE: 'off',
                EDGEWISE_LIMITS: 'off',
                EDGEWISE_ARCHIVE: 'off',
                EDGEWISE_JWT_SECRET: 'a token secret that is only for the tests',
                ...(process.env.SEEDS ? { SEEDS: process.env.SEEDS } : {}),
                ...(process.env.SEED ? { SEED: process.env.SEED } : {}),
              },
            },
          }),
        ],
        test: {
          name: 'workers',
          include: ['edge/**/*.workers.test.ts'],
          globalSetup: ['infra/e2e/core-for-workers.ts'],
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['infra/e2e/**/*.test.ts'],
          globalSetup: ['infra/e2e/build-once.ts'],
          fileParallelism: false,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
