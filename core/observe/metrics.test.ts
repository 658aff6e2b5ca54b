import { expect, test } from 'vitest';
import type { GenerationEnd } from './generation-end.ts';
import { createMetrics } from './metrics.ts';

const end: GenerationEnd = {
  requestId: 'r',
  model: 'gpt-5',
  provider: 'openai',
  fallback: undefined,
  firstTokenMs: 300,
  durationMs: 1300,
  inputTokens: 10,
  outputTokens: 21,
  error: undefined,
  trace: undefined,
};

test('a generation is counted in seconds and tokens, by model', async () => {
  const metrics = createMetrics({ running: () => 2, waiting: () => 3, breakers: () => [] });
  metrics.ended(end);
  metrics.ended({ ...end, model: 'gpt-5-mini', fallback: { from: 'gpt-5', reason: 'upstream_error' } });
  const text = await metrics.text();
  const labels = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-5"';
  expect(text).toContain(`gen_ai_server_request_duration_seconds_sum{${labels},error_type=""} 1.3`);
  expect(text).toContain(`gen_ai_server_time_to_first_token_seconds_sum{${labels}} 0.3`);
  expect(text).toContain(`gen_ai_server_time_per_output_token_seconds_sum{${labels}} 0.05`);
  expect(text).toContain(`gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="output"} 21`);
  expect(text).toContain('edgewise_fallbacks_total{from="gpt-5",to="gpt-5-mini",reason="upstream_error"} 1');
  expect(text).toContain('edgewise_generations_running 2');
  expect(text).toContain('edgewise_quota_waiting 3');
});

test('a count that an upstream cannot mean is counted, and what is wrong with it', async () => {
  const metrics = createMetrics({ running: () => 0, waiting: () => 0, breakers: () => [] });
  metrics.usageRejected({ model: 'gpt-5', operation: 'chat', tokenType: 'output', fault: 'too_large' });
  expect(await metrics.text()).toContain(
    'edgewise_usage_rejected_total{gen_ai_operation_name="chat",gen_ai_request_model="gpt-5",gen_ai_token_type="output",reason="too_large"} 1',
  );
});

test('one that no model took has no model, whatever name was asked for', async () => {
  const metrics = createMetrics({ running: () => 0, waiting: () => 0, breakers: () => [] });
  metrics.ended({
    ...end,
    model: 'smart',
    provider: undefined,
    firstTokenMs: undefined,
    error: 'model_busy',
  });
  expect(await metrics.text()).toContain(
    'duration_seconds_count{gen_ai_operation_name="chat",gen_ai_provider_name="",gen_ai_request_model="",error_type="model_busy"} 1',
  );
});

test('breakers are those of the moment', async () => {
  let state: 'open' | 'closed' = 'open';
  const metrics = createMetrics({
    running: () => 0,
    waiting: () => 0,
    breakers: () => [{ model: 'm', state }],
  });
  expect(await metrics.text()).toContain('edgewise_breaker_state{gen_ai_request_model="m"} 2');
  state = 'closed';
  expect(await metrics.text()).toContain('edgewise_breaker_state{gen_ai_request_model="m"} 0');
});
