// A dashboard with the kinds of panels that we use, out of Grafana's own types.
import type { Dashboard, FieldConfig, Panel, RowPanel } from './node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen';
import type * as heatmap from './node_modules/@grafana/schema/dist/types/raw/composable/heatmap/panelcfg/x/types.gen';
import type * as stat from './node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type * as table from './node_modules/@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type * as timeline from './node_modules/@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/types.gen';
import type * as timeseries from './node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';

// Overrides may match by anything and set anything; what is left out has a default.
type Override = {
  matcher: { id: string; options: string };
  properties: Array<{ id: string; value?: unknown }>;
};
type Of<Kind extends string, Options, Custom> =
  Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'interval'> & {
    type: Kind;
    interval?: string;
    options: Partial<Options>;
    fieldConfig: {
      defaults: Omit<FieldConfig, 'custom'> & { custom?: Partial<Custom> };
      overrides: Array<Override>;
    };
  };

export type Board = Omit<Dashboard, 'panels'> & {
  panels: Array<
    | RowPanel
    | Of<'heatmap', heatmap.Options, heatmap.FieldConfig>
    | Of<'stat', stat.Options, {}>
    | Of<'state-timeline', timeline.Options, timeline.FieldConfig>
    | Of<'table', table.Options, table.FieldConfig>
    | Of<'timeseries', timeseries.Options, timeseries.FieldConfig>
  >;
};
