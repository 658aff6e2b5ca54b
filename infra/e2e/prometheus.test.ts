/** A real Prometheus reads running processes with our configuration, and our rules see what happens to them. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PrometheusService, startPrometheus } from './prometheus-service.ts';
import { refuse } from './scripted-upstream.ts';
import { lacks } from './services.ts';
import { type System, startSystem } from './system.ts';

const TOKEN = 'metrics-token-of-the-tests';

describe.skipIf(lacks('prometheus') || lacks('promtool'))('Prometheus', () => {
  let system: System;
  let prometheus: PrometheusService;
  beforeAll(async () => {
    system = await startSystem({ env: { EDGEWISE_METRICS_TOKEN: TOKEN } });
    const jobs = {
      'edgewise-core': new URL(system.coreAddress).host,
      'edgewise-edge': new URL(system.address).host,
    };
    prometheus = await startPrometheus(jobs, TOKEN);
  });
  afterAll(async () => {
    await prometheus?.stop();
    await system?.stop();
  });

  /** Asks until it is so: scrapes come twice a second. */
  async function until(query: string, isRight: (value: number | undefined) => boolean): Promise<void> {
    let value: number | undefined;
    for (const endMs = Date.now() + 10_000; Date.now() < endMs; ) {
      value = await prometheus.value(query);
      if (isRight(value)) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`${query} is ${value}`);
  }

  test('reads core and edge with their token, and counts what it does', async () => {
    await until('up{job="edgewise-core"}', (value) => value === 1);
    await until('up{job="edgewise-edge"}', (value) => value === 1);
    for (let turn = 0; turn < 3; turn++) await (await system.chat(`Question ${turn}`)).text();
    const count = 'sum(gen_ai_server_request_duration_seconds_count{job="edgewise-core",error_type=""})';
    await until(count, (value) => value === 3);
    await until(
      'sum(gen_ai_server_time_to_first_token_seconds_count{job="edgewise-core"})',
      (value) => value === 3,
    );
    const tokens = 'gen_ai_client_token_usage_sum{gen_ai_token_type="output"';
    await until(`sum(${tokens},job="edgewise-core"})`, (value) => value === 21);
    await until(`sum(${tokens},job="edgewise-edge",edgewise_answered_by="heavy"})`, (value) => value === 21);
    system.upstream.behave(refuse(400, { message: 'no', type: 'invalid_request_error', code: null }));
    await (await system.chat('This one is refused.')).text();
    for (const job of ['edgewise-core', 'edgewise-edge'])
      await until(
        `sum(gen_ai_server_request_duration_seconds_count{job="${job}",error_type!=""})`,
        (value) => value === 1,
      );
  });

  test.each(['core', 'edge'])('finds no fault with the form of the metrics of the %s', async (side) => {
    const address = side === 'core' ? system.coreAddress : system.address;
    const answer = await fetch(`${address}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: await answer.text(),
      encoding: 'utf8',
    });
    // Names that the prom-client library and OpenTelemetry give are not ours to change.
    const faults = (stdout + stderr).split('\n').filter((line) => line !== '' && !line.startsWith('nodejs_'));
    expect(faults).toEqual([]);
    expect([0, 3]).toContain(status);
  });

  test('evaluates every rule without an error', async () => {
    const isDone = async () => {
      const { groups } = await prometheus.read('rules');
      const rules = groups.flatMap((group: { rules: object[] }) => group.rules) as {
        name: string;
        health: string;
        lastError?: string;
      }[];
      expect(rules.filter(({ lastError }) => lastError)).toEqual([]);
      expect(rules.length).toBeGreaterThan(100);
      return rules.every(({ health }) => health === 'ok');
    };
    for (const endMs = Date.now() + 10_000; !(await isDone()); ) {
      expect(Date.now()).toBeLessThan(endMs);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });

  test('sees that a core is gone', async () => {
    await system.killCore();
    await until('up{job="edgewise-core"}', (value) => value === 0);
    await until('ALERTS{alertname="EdgewiseDown",job="edgewise-core"}', (value) => value === 1);
    await system.restartCore();
    await until('up{job="edgewise-core"}', (value) => value === 1);
  });
});
