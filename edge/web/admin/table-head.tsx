import { t } from './admin-words.ts';

/** The names of a table's columns. */
export function TableHead({
  columns,
  hasActions,
}: {
  columns: readonly Parameters<typeof t>[0][];
  hasActions?: boolean;
}) {
  return (
    <thead>
      <tr>
        {columns.map((column) => (
          <th key={column} scope="col">
            {t(column)}
          </th>
        ))}
        {hasActions && <td />}
      </tr>
    </thead>
  );
}
