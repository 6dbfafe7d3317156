import type { TensorDifference, TensorSummary } from '@model-rtc/formats';
import type { TrainingCurve } from '@model-rtc/formats/layouts';
import { formatBytes } from '@model-rtc/protocol';
import type { Availability, RegistryEntry } from '@model-rtc/registry';
import { formatScalar, formatTime, printable, shortName } from '../../../console/format.ts';
import { type Column, renderTable } from '../../../console/table.ts';
import { codeMark } from '../../code-files.ts';
import { drawCurves } from './curves.ts';
import type { ScalarRow } from './scalars.ts';

/** One of the models that are compared. */
export interface ComparedModel {
  readonly entry: RegistryEntry;
  readonly availability: readonly Availability[];
  readonly curves: readonly TrainingCurve[];
}

/** How the tensors of a model differ from those of the first one. */
export interface ComparedTensors {
  /** Ids. */
  readonly first: string;
  readonly second: string;
  /** Null when one of the two has no tensors that can be listed, or when they could not be compared. */
  readonly difference: TensorDifference | null;
  /** Why they could not be compared. */
  readonly problem?: string | undefined;
}

interface Comparison {
  readonly models: readonly ComparedModel[];
  readonly metrics: readonly ScalarRow[];
  readonly hyperparameters: readonly ScalarRow[];
  readonly tensors: readonly ComparedTensors[];
}

/** Changed tensors that are named; `--json` has all. */
const NAMED_TENSORS = 5;

/** A line of the side-by-side table: what it is about, and a cell for each model. */
interface Line {
  readonly name: string;
  readonly cells: readonly string[];
}

/** A comparison as a person reads it, no wider than the terminal. */
export async function renderComparison(comparison: Comparison, width: number | undefined): Promise<string> {
  const { models, metrics, hyperparameters, tensors } = comparison;
  const sections = [
    renderTable(modelLines(models), columnsOf(models, 'MODEL'), width),
    scalarTable('METRIC', metrics, models, width),
    scalarTable('HYPERPARAMETER', hyperparameters, models, width),
    legend(metrics, hyperparameters),
    tensors.map((compared, i) => tensorText(compared, i + 2, width)).join('\n'),
    await drawCurves(
      models.map(({ entry, curves }, i) => ({ label: `${i + 1} ${shortName(entry)}`, curves })),
      width,
    ),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function columnsOf(models: readonly ComparedModel[], title: string): Column<Line>[] {
  const ofModels = models.map(({ entry }, i) => ({
    title: `${i + 1} ${shortName(entry)}`,
    value: ({ cells }: Line) => cells[i] ?? '',
  }));
  return [{ title, value: ({ name }) => name }, ...ofModels];
}

function modelLines(models: readonly ComparedModel[]): Line[] {
  const line = (name: string, cell: (model: ComparedModel) => string | undefined): Line => {
    return { name, cells: models.map((model) => cell(model) ?? '') };
  };
  const lines = [
    line('id', ({ entry }) => entry.id),
    line('type', ({ entry }) => entry.modelType),
    line('backbone', ({ entry }) => entry.backbone),
    line('size', ({ entry }) => `${formatBytes(entry.size)} in ${entry.fileCount}`),
    line('status', ({ entry }) => entry.displayStatus),
    line('runs code', ({ entry }) => codeMark(entry)),
    line('fine-tuned from', ({ entry }) => entry.lineage?.fineTunedFrom),
    line('license', ({ entry }) => entry.license),
    line('completed', ({ entry }) => formatTime(entry.completedAt)),
    line('also at', ({ availability }) => availability.map(({ name }) => name).join(', ')),
  ];
  return lines.filter(({ cells }) => cells.some((cell) => cell !== ''));
}

function scalarTable(
  title: string,
  rows: readonly ScalarRow[],
  models: readonly ComparedModel[],
  width: number | undefined,
): string {
  if (rows.length === 0) return '';
  const isMetric = title === 'METRIC';
  const lines = rows.map(({ name, values, differs, best }) => ({
    name: !isMetric && differs ? `≠ ${name}` : isMetric ? name : `  ${name}`,
    cells: values.map((value, i) => (value === null ? '-' : `${formatScalar(value)}${best.includes(i) ? ' *' : ''}`)),
  }));
  return renderTable(lines, columnsOf(models, isMetric ? title : `  ${title}`), width);
}

function legend(metrics: readonly ScalarRow[], hyperparameters: readonly ScalarRow[]): string {
  const parts = [
    ...(metrics.some(({ best }) => best.length > 0) ? ['* best'] : []),
    ...(hyperparameters.some(({ differs }) => differs) ? ['≠ differs'] : []),
  ];
  return parts.join('   ');
}

function tensorText({ difference, problem }: ComparedTensors, number: number, width: number | undefined): string {
  const pair = `Tensors of 1 and ${number}`;
  if (problem !== undefined) return `${pair}: not compared. ${printable(problem)}`;
  if (difference === null) return `${pair}: at least one of them has no tensors that can be listed.`;
  const { same, changed, onlyInFirst, onlyInSecond } = difference;
  const total = same.count + changed.length + onlyInFirst.length + onlyInSecond.length;
  const groups = [
    groupText('changed', changed, width),
    groupText('only in 1', onlyInFirst, width),
    groupText(`only in ${number}`, onlyInSecond, width),
  ];
  const first = `${pair}: ${same.count} of ${total} are the same (${formatBytes(same.bytes)})`;
  return [first, ...groups.filter((text) => text !== '')].join('\n');
}

const TENSOR_COLUMNS: readonly Column<TensorSummary>[] = [
  { title: '   ', value: () => '' },
  { title: 'TENSOR', value: ({ name }) => name },
  { title: 'TYPE', value: ({ dtype }) => dtype },
  { title: 'SHAPE', value: ({ shape }) => shape.join(' x '), optional: 2 },
  { title: 'SIZE', value: ({ bytes }) => formatBytes(bytes), align: 'right', optional: 1 },
  { title: 'FILE', value: ({ file }) => file, optional: 3 },
];

function groupText(what: string, tensors: readonly TensorSummary[], width: number | undefined): string {
  if (tensors.length === 0) return '';
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const shown = renderTable(tensors.slice(0, NAMED_TENSORS), TENSOR_COLUMNS, width);
  const more = tensors.length > NAMED_TENSORS ? `\n     and ${tensors.length - NAMED_TENSORS} more` : '';
  return `  ${what}: ${tensors.length} (${formatBytes(bytes)})\n${shown}${more}`;
}
