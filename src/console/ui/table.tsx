import type { ComponentChildren, JSX } from 'preact';

export interface Column<Row> {
  /** The heading. */
  readonly name: string;
  /** The heading is for screen readers alone: the cells say what they are. */
  readonly unseen?: boolean;
  readonly kind?: 'number' | 'actions' | 'chart' | 'text' | 'mark';
  /** Names its row. One column of a table. */
  readonly heads?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly busy?: boolean;
}

/**
 * A table. On a narrow screen its rows become cards, whose cells repeat their headings; the roles are written out, since
 * browsers drop them with `display`.
 */
export function Table<Row>({ caption, columns, rows, keyOf, busy = false }: TableProps<Row>): JSX.Element {
  return (
    <table class="table" role="table" aria-busy={busy}>
      <caption class="unseen">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ name, kind, unseen = false }) => (
            <th key={name} role="columnheader" scope="col" class={kind ?? ''}>
              {unseen ? <span class="unseen">{name}</span> : name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row">
            {columns.map((column) => (
              <Cell key={column.name} column={column} row={row} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cell<Row>({ column, row }: { column: Column<Row>; row: Row }): JSX.Element {
  const { name, kind = 'text', heads = false, unseen = false, cell } = column;
  const label = unseen ? undefined : name;
  return heads ? (
    <th role="rowheader" scope="row" class={kind} data-label={label}>
      <div class="cell">{cell(row)}</div>
    </th>
  ) : (
    <td role="cell" class={kind} data-label={label}>
      <div class="cell">{cell(row)}</div>
    </td>
  );
}
