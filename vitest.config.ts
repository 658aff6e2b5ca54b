import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          include: ['{shared,core,edge,infra}/**/*.test.ts'],
          exclude: ['**/*.workers.test.ts', 'infra/e2e/**'],
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: {
                EDGEWISE_CORE_URL: 'http://127.0.0.1:9',
                EDGEWISE_SERVICE_SECRET: 'a service secret that is only for tests',
                EDGEWISE_JWT_SECRET: 'a token secret that is only for the tests',
              },
            },
          }),
        ],
        test: { name: 'workers', include: ['edge/**/*.workers.test.ts'] },
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
