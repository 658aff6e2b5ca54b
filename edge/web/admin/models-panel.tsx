import { useEffect, useState } from 'preact/hooks';
import type { ModelInfo } from '../../../shared/protocol/generation-protocol.ts';
import type { Api } from '../chat/api.ts';
import { toNumber } from '../words/words.ts';
import { t } from './admin-words.ts';
import { TableHead } from './table-head.tsx';

const EVERY_MS = 10_000;

/** Which models there are, and which of them are left alone for now. */
export function ModelsPanel({ api }: { api: Api }) {
  const [models, setModels] = useState<readonly ModelInfo[]>([]);
  useEffect(() => {
    const load = () => void api.models().then(setModels, () => undefined);
    load();
    const timer = setInterval(load, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <section class="panel" aria-labelledby="models">
      <h2 id="models">{t('models')}</h2>
      <div class="table-frame" tabIndex={0}>
        <table>
          <TableHead columns={['model', 'place', 'context', 'price', 'breaker', 'reason']} />
          <tbody>
            {models.map(({ id, edgewise }) => (
              <tr key={id}>
                <th scope="row">
                  {id}
                  {edgewise.targets && <small> → {edgewise.targets.join(', ')}</small>}
                </th>
                <td>{edgewise.place}</td>
                <td class="number">{toNumber(edgewise.context_length)}</td>
                <td class="number">
                  {edgewise.price ? `$${edgewise.price.input} / $${edgewise.price.output}` : '–'}
                </td>
                <td>
                  {edgewise.breaker && (
                    <span class={`breaker ${edgewise.breaker}`}>{t(breakerWords[edgewise.breaker])}</span>
                  )}
                </td>
                <td>{edgewise.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const breakerWords = {
  closed: 'breakerClosed',
  open: 'breakerOpen',
  'half-open': 'breakerHalf',
} as const;
