/** What is used of the peer, and no more, so that a bundler can leave out the rest. Loaded by the first chart. */
import { CustomChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([CustomChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** A chart of this size that no document holds. */
export const chartOf = (width: number, height: number) =>
  init(null, null, { renderer: "svg", ssr: true, width, height });
