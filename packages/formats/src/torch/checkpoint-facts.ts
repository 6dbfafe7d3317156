import { unlessBroken } from '../bytes/structure-error.ts';
import { calleeName, entriesOf, isKind, itemsOf, type PickledValue } from '../pickle/values.ts';
import type { ByteReader, ReadOptions } from '../types.ts';
import { readTorchFile, type TorchFile } from './torch-file.ts';
import { tensorOf } from './torch-tensors.ts';

/** What a checkpoint says about its training: pairs of a name and a value that nobody has checked. */
export interface CheckpointFacts {
  readonly metrics: readonly (readonly [string, unknown])[];
  readonly hyperparameters: readonly (readonly [string, unknown])[];
  readonly versions: readonly (readonly [string, unknown])[];
  /** The best checkpoint of the training so far, as the path that it was written to on the machine that trained. */
  readonly bestPath?: string | undefined;
}

/** Where trainers keep the settings of a run: Lightning, and scripts with argparse. */
const HYPERPARAMETERS = ['hyper_parameters', 'hparams', 'args', 'opt', 'train_args', 'config'] as const;
/** Top-level numbers that say how good a checkpoint is: `best_acc`, `val_loss`. */
const METRIC = /loss|acc|score|metric|fitness|error|auc|map|iou|f1/i;
/** A checkpoint's name of a version, and the entry's. */
const VERSIONS = [
  ['pytorch-lightning_version', 'lightning_version'],
  ['lightning_version', 'lightning_version'],
  ['torch_version', 'torch_version'],
  ['pytorch_version', 'torch_version'],
  ['transformers_version', 'transformers_version'],
  ['sleap_nn_version', 'sleap_nn_version'],
] as const;

/**
 * The facts of a file that torch.save wrote: epoch, step, best score, hyperparameters, versions. Its pickle is walked,
 * and nothing in it is run. Undefined for any other file.
 */
export async function readCheckpointFacts(
  reader: ByteReader,
  options: ReadOptions,
): Promise<CheckpointFacts | undefined> {
  const file = await readTorchFile(reader, options);
  const top = entriesOf(file?.value);
  if (file === undefined || top === undefined) return undefined;
  const metrics: [string, unknown][] = [
    ['checkpoint_epoch', plainOf(top.get('epoch'))],
    ['global_step', plainOf(top.get('global_step'))],
    ...(await bestScores(reader, file, top)),
  ];
  for (const [name, value] of top) {
    if (METRIC.test(name)) metrics.push([name, (await numberOf(reader, file, value)) ?? undefined]);
  }
  return {
    metrics,
    hyperparameters: HYPERPARAMETERS.flatMap((name) => hyperparameters(top.get(name))),
    bestPath: bestPath(top),
    versions: VERSIONS.map(([name, shown]) => [shown, plainOf(top.get(name))] as const),
  };
}

/** What Lightning's ModelCheckpoint remembers, under the name of the metric that it watches. */
async function bestScores(
  reader: ByteReader,
  file: TorchFile,
  top: ReadonlyMap<string, PickledValue>,
): Promise<[string, unknown][]> {
  const scores: [string, unknown][] = [];
  for (const [name, callback] of entriesOf(top.get('callbacks')) ?? []) {
    if (!name.includes('ModelCheckpoint')) continue;
    const state = entriesOf(callback);
    const score = await numberOf(reader, file, state?.get('best_model_score'));
    const monitor = plainOf(state?.get('monitor')) ?? /'monitor': '([^']+)'/.exec(name)?.[1];
    scores.push(['best_model_score', score]);
    if (typeof monitor === 'string') scores.push([`best_${monitor}`.replaceAll('/', '_'), score]);
  }
  return scores;
}

function bestPath(top: ReadonlyMap<string, PickledValue>): string | undefined {
  for (const [name, callback] of entriesOf(top.get('callbacks')) ?? []) {
    const path = name.includes('ModelCheckpoint') ? plainOf(entriesOf(callback)?.get('best_model_path')) : undefined;
    if (typeof path === 'string' && path !== '') return path;
  }
  return undefined;
}

/** The scalars of a dict, and of the dicts in it, whose names are joined with dots. */
function hyperparameters(value: PickledValue | undefined, prefix = '', depth = 0): [string, unknown][] {
  const found: [string, unknown][] = [];
  for (const [key, item] of entriesOf(value) ?? []) {
    const plain = plainOf(item);
    if (plain !== undefined) found.push([`${prefix}${key}`, plain]);
    else if (depth === 0) found.push(...hyperparameters(item, `${prefix}${key}.`, 1));
  }
  return found;
}

/** A text, number or boolean of the pickle. */
function plainOf(value: PickledValue | undefined): string | number | boolean | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  // A pathlib path is the text of its parts.
  if (!/^pathlib\./.test(calleeName(value) ?? '') || !isKind(value, 'call')) return undefined;
  const parts = itemsOf(value.args)?.filter((part) => typeof part === 'string') ?? [];
  return parts.length === 0 ? undefined : parts.join('/').replace(/^\/\//, '/');
}

/** A number, which may be stored as a tensor of one item. */
async function numberOf(
  reader: ByteReader,
  file: TorchFile,
  value: PickledValue | undefined,
): Promise<number | undefined> {
  if (typeof value === 'number') return value;
  const tensor = tensorOf(value);
  if (tensor === undefined || tensor.shape.some((side) => side !== 1)) return undefined;
  const { itemBytes, dtype, key } = tensor.storage;
  const place = await unlessBroken(file.storage(key));
  const start = tensor.offset * itemBytes;
  if (place === undefined || start + itemBytes > place.size) return undefined;
  const bytes = await reader.read(place.start + start, itemBytes);
  return scalarOf(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), dtype);
}

function scalarOf(view: DataView, dtype: string): number | undefined {
  if (dtype === 'F32') return Number(view.getFloat32(0, true).toPrecision(7));
  if (dtype === 'F64') return view.getFloat64(0, true);
  if (dtype === 'I64') return Number(view.getBigInt64(0, true));
  return dtype === 'I32' ? view.getInt32(0, true) : undefined;
}
