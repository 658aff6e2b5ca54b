import { useEffect, useMemo } from 'preact/hooks';
import type { Api } from '../chat/api.ts';
import { t } from './admin-words.ts';
import { Chart } from './chart.tsx';
import { createMetricsHistory } from './history.ts';

export function MetricsPanel({ api }: { api: Api }) {
  const history = useMemo(() => createMetricsHistory(api), [api]);
  useEffect(() => {
    history.start();
    return history.stop;
  }, [history]);
  return (
    <section class="panel" aria-labelledby="live">
      <h2 id="live">{t('traffic')}</h2>
      {history.failure.value && (
        <p class="failure">{t('trafficFailed', { reason: history.failure.value })}</p>
      )}
      <div class="charts">
        {history.charts.value.map((chart) => (
          <Chart key={chart.name} data={chart} />
        ))}
      </div>
    </section>
  );
}
