import type { TrainingCurve } from '@model-rtc/formats/layouts';
import { formatCount, formatScalar, printable } from '../../../console/format.ts';

/** The curves of one model, which is drawn with the first character of its label. */
export interface LabelledCurves {
  readonly label: string;
  readonly curves: readonly TrainingCurve[];
}

/** A curve that one or more models have, under one name. */
interface Chart {
  readonly name: string;
  readonly lines: readonly { readonly symbol: string; readonly points: [number, number][] }[];
}

const DEFAULT_WIDTH = 80;
const WIDEST = 100;
const NARROWEST = 20;
const HEIGHT = 12;
/** Room for the numbers beside the axis. */
const MARGIN = 12;
const X_TICKS = 6;
/** Charts of one comparison: models of many heads log a loss for each. */
const MAX_CHARTS = 4;

/**
 * The loss curves of models, those of one name in one chart, each model's with a symbol of its own; empty when no
 * model has any.
 * @param width the terminal's columns; undefined for no limit
 */
export async function drawCurves(models: readonly LabelledCurves[], width: number | undefined): Promise<string> {
  const charts = chartsOf(models);
  if (charts.length === 0) return '';
  const { plot } = await import('simple-ascii-chart');
  const columns = Math.max(NARROWEST, Math.min(width ?? DEFAULT_WIDTH, WIDEST) - MARGIN);
  const drawn = charts.slice(0, MAX_CHARTS).map((chart) => drawChart(plot, chart, columns));
  const more =
    charts.length > MAX_CHARTS
      ? [`${formatCount(charts.length - MAX_CHARTS, 'more curve')}; --json has all of them.`]
      : [];
  return [...drawn, models.map(({ label }) => label).join('   '), ...more].join('\n');
}

/** The most useful curves come first: validation losses, then training losses. */
function chartsOf(models: readonly LabelledCurves[]): Chart[] {
  const names = [...new Set(models.flatMap(({ curves }) => curves.map(({ name }) => name)))];
  const rank = (name: string): number =>
    /^(val|eval|valid)[_/]?loss$/.test(name) ? 0 : /^(train[_/])?loss$/.test(name) ? 1 : 2;
  return names
    .sort((a, b) => rank(a) - rank(b))
    .map((name) => ({ name, lines: models.flatMap(({ label, curves }) => lineOf(name, label, curves)) }))
    .filter(({ lines }) => lines.length > 0);
}

function lineOf(name: string, label: string, curves: readonly TrainingCurve[]): Chart['lines'] {
  const values = curves.find((curve) => curve.name === name)?.values ?? [];
  const points = values.flatMap((value, row): [number, number][] => (value === null ? [] : [[row, value]]));
  return points.length === 0 ? [] : [{ symbol: label.slice(0, 1), points }];
}

function drawChart(plot: typeof import('simple-ascii-chart').plot, { name, lines }: Chart, width: number): string {
  const last = Math.max(1, ...lines.map(({ points }) => points.at(-1)?.[0] ?? 0));
  const step = Math.max(1, Math.ceil(last / X_TICKS));
  const filled = lines.map(({ points }) => fill(points, last, width));
  let line = -1;
  const drawn = plot(filled, {
    width,
    height: HEIGHT,
    title: printable(name),
    customXAxisTicks: Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step),
    formatter: (value, { axis }) => (axis === 'x' ? Math.round(value) : formatScalar(Number(value.toPrecision(3)))),
    // Lines are drawn one after the other, each from its first point; colours would not come through a pipe.
    lineFormatter({ index, plotX, plotY }) {
      if (index === 0) line++;
      return { x: plotX, y: plotY, symbol: lines[line]?.symbol ?? '*' };
    },
  });
  const text = drawn.split('\n').map((row) => row.trimEnd());
  return text.filter((row, i) => row !== '' || (i > 0 && i < text.length - 1)).join('\n');
}

/** A point for each column of the chart between the first and the last point, on straight lines between them. */
function fill(points: readonly [number, number][], last: number, width: number): [number, number][] {
  const [start] = points;
  if (start === undefined || points.length === 1) return [...points];
  const filled: [number, number][] = [];
  let next = 1;
  for (let column = 0; column < width; column++) {
    const x = (column * last) / (width - 1);
    while (next < points.length - 1 && (points[next]?.[0] ?? 0) < x) next++;
    const [fromX, fromY] = points[next - 1] as [number, number];
    const [toX, toY] = points[next] as [number, number];
    if (x < start[0] || x > toX) continue;
    filled.push([x, fromY + ((toY - fromY) * (x - fromX)) / (toX - fromX)]);
  }
  return filled.length === 0 ? [...points] : filled;
}
