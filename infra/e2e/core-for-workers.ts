import { startScriptedCore } from './scripted-core.ts';

/** The core that Session objects call in the `workers` tests; where it is stands in vitest.config.ts. */
export default async function setup(): Promise<() => Promise<void>> {
  const { WORKERS_TEST_CORE_PORT: port, WORKERS_TEST_SECRET: secret } = process.env;
  const core = await startScriptedCore(Number(port), String(secret));
  return () => core.stop();
}
