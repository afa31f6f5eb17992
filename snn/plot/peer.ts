/** The ECharts modules that the charts use; bundlers drop the others. The first chart loads this file. */
import { CustomChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([CustomChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** A chart of this size without a document. */
export const chartOf = (width: number, height: number) =>
  init(null, null, { renderer: "svg", ssr: true, width, height });
