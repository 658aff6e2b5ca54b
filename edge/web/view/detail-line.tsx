import { useApp } from '../app-state.ts';
import type { TurnDetails } from '../chat/live-turn.ts';
import { t, toNumber } from '../words/words.ts';

/** Which model answered, from where, how soon and for how much. */
export function DetailLine({ details }: { details: TurnDetails }) {
  const { models } = useApp();
  const { model, place, reason, cache, fallbackFrom, inputTokens, outputTokens, estimated, firstWordMs } =
    details;
  const price = models.value.find(({ id }) => id === model)?.edgewise.price;
  const isCached = cache === 'hit' || cache === 'semantic' || cache === 'coalesced';
  const costDollars =
    price && !isCached && inputTokens !== undefined && outputTokens !== undefined
      ? (inputTokens * price.input + outputTokens * price.output) / 1e6
      : undefined;
  const parts = [
    model,
    fallbackFrom && t('insteadOf', { model: fallbackFrom }),
    place && t(place === 'edge' ? 'atEdge' : 'inCore'),
    isCached && t('cacheHit'),
    inputTokens !== undefined &&
      outputTokens !== undefined &&
      `${estimated ? '≈ ' : ''}${t('tokens', { input: toNumber(inputTokens), output: toNumber(outputTokens) })}`,
    costDollars !== undefined && toDollars(costDollars),
    firstWordMs !== undefined && t('firstWord', { time: toTime(firstWordMs) }),
  ].filter((part) => typeof part === 'string' && part !== '');
  if (parts.length === 0) return null;
  return (
    <p class="details" title={reason}>
      {parts.map((part) => (
        <span key={part}>{part}</span>
      ))}
    </p>
  );
}

function toDollars(value: number): string {
  const digits = value > 0 && value < 0.01 ? 5 : 3;
  return `$${value.toFixed(digits)}`;
}

function toTime(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
