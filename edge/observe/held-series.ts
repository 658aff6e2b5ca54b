/** What there is in fact is far fewer; should it be more, what is held is made again. */
const MAX_SERIES = 500;

/**
 * Measurements that go together, by the labels that distinguish them: their names are built once and kept. Owns them.
 * @param make Makes those of one combination.
 */
export function heldSeries<Names extends string[], Series>(
  make: (...names: Names) => Series,
): (...names: Names) => Series {
  const held = new Map<string, Series>();
  return function seriesOf(...names) {
    const name = names.join('\n');
    let series = held.get(name);
    if (series === undefined) {
      series = make(...names);
      if (held.size === MAX_SERIES) held.clear();
      held.set(name, series);
    }
    return series;
  };
}
