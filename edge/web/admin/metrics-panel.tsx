import { useEffect, useMemo, useState } from 'preact/hooks';
import { readError } from '../../../shared/client/edgewise-error.ts';
import { t } from './admin-words.ts';
import { Chart } from './chart.tsx';
import { createMetricsHistory } from './history.ts';

const KEY = 'edgewise.metrics';

/** What all tenants together do: shown to who holds the token of the metrics, which no tenant's operator has. */
export function MetricsPanel() {
  const [token, setToken] = useState(sessionStorage.getItem(KEY) ?? '');
  return (
    <section class="panel" aria-labelledby="live">
      <h2 id="live">{t('traffic')}</h2>
      {token === '' ? (
        <form
          class="key-form"
          onSubmit={(event) => {
            event.preventDefault();
            const given = String(new FormData(event.currentTarget).get('token') ?? '').trim();
            sessionStorage.setItem(KEY, given);
            setToken(given);
          }}
        >
          <label>
            {t('metricsToken')}
            <input name="token" type="password" required autocomplete="off" />
          </label>
          <button type="submit" class="secondary">
            {t('show')}
          </button>
        </form>
      ) : (
        <Charts
          token={token}
          onRefused={() => {
            sessionStorage.removeItem(KEY);
            setToken('');
          }}
        />
      )}
    </section>
  );
}

function Charts({ token, onRefused }: { token: string; onRefused: () => void }) {
  const history = useMemo(
    () =>
      createMetricsHistory(async () => {
        const response = await fetch('/metrics', { headers: { authorization: `Bearer ${token}` } });
        if (response.status === 401) onRefused();
        if (!response.ok) throw await readError(response);
        return response.text();
      }),
    [token],
  );
  useEffect(() => {
    history.start();
    return history.stop;
  }, [history]);
  return (
    <>
      {history.failure.value && (
        <p class="failure">{t('trafficFailed', { reason: history.failure.value })}</p>
      )}
      <div class="charts">
        {history.charts.value.map((chart) => (
          <Chart key={chart.name} data={chart} />
        ))}
      </div>
    </>
  );
}
