/** Lays out panels from left to right as a Grafana dashboard (schema version 39). */
export interface Query {
  expr: string;
  legend?: string;
}

export interface Panel {
  title: string;
  /** Grafana's name for the unit. */
  unit: string;
  queries: Query[];
  /** In columns; a dashboard has 24. */
  width?: number;
  kind?: 'timeseries' | 'stat' | 'table';
  description?: string;
  /** Series on top of each other. */
  isStacked?: boolean;
  max?: number;
}

export interface Dashboard {
  uid: string;
  title: string;
  rows: { title: string; panels: Panel[] }[];
}

const PANEL_HEIGHT = 8;
const FULL_WIDTH = 24;
const datasource = { type: 'prometheus', uid: 'edgewise-prometheus' };

export function toGrafana({ uid, title, rows }: Dashboard): object {
  let id = 0;
  let y = 0;
  const panels: object[] = [];
  for (const row of rows) {
    panels.push({
      id: ++id,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y: y++, w: FULL_WIDTH, h: 1 },
      panels: [],
    });
    let x = 0;
    for (const panel of row.panels) {
      const width = panel.width ?? 8;
      if (x + width > FULL_WIDTH) {
        x = 0;
        y += PANEL_HEIGHT;
      }
      panels.push(toPanel(panel, { id: ++id, x, y, width }));
      x += width;
    }
    y += PANEL_HEIGHT;
  }
  return {
    uid,
    title,
    tags: ['edgewise'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        type: 'dashboards',
        title: 'Edgewise',
        tags: ['edgewise'],
        asDropdown: true,
        includeVars: false,
        keepTime: true,
      },
    ],
    annotations: { list: [alertAnnotations] },
    templating: { list: [] },
    panels,
  };
}

const alertAnnotations = {
  name: 'Alerts',
  datasource,
  enable: true,
  iconColor: 'red',
  expr: 'ALERTS{alertname=~"Edgewise.+", alertstate="firing", severity="page"}',
  titleFormat: '{{alertname}}',
};

function toPanel(panel: Panel, { id, x, y, width }: { id: number; x: number; y: number; width: number }) {
  const { title, unit, queries, kind = 'timeseries', description, isStacked = false, max } = panel;
  return {
    id,
    type: kind,
    title,
    ...(description !== undefined && { description }),
    datasource,
    gridPos: { x, y, w: width, h: PANEL_HEIGHT },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat: legend ?? '__auto',
      ...(kind === 'timeseries' ? { range: true } : { instant: true }),
      ...(kind === 'table' && { format: 'table' }),
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(max !== undefined && { max }),
        ...(kind === 'timeseries' && {
          custom: {
            drawStyle: 'line',
            lineWidth: 1,
            fillOpacity: isStacked ? 30 : 8,
            showPoints: 'never',
            stacking: { mode: isStacked ? 'normal' : 'none' },
          },
        }),
      },
      overrides: [],
    },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value', graphMode: 'area' }
        : { tooltip: { mode: 'multi', sort: 'desc' }, legend: { displayMode: 'list', placement: 'bottom' } },
  };
}
