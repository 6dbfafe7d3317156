import { basename } from 'node:path';
import { type Feed, joinOutputs, joinRows, rowsOf, splitFeed } from './batches.ts';
import { checkModelFile } from './check-model-file.ts';
import { convert } from './convert.ts';
import { type DataFile, findDataFiles, matchSamples, type Sample } from './data-files.ts';
import { fitShape, type NamedSizes, portText } from './fit-shape.ts';
import { toImageTensor } from './image-tensor.ts';
import { readImage } from './read-image.ts';
import { readNpy } from './read-npy.ts';
import { type Model, type Output, openModel } from './runtime.ts';
import type { OnnxSettings } from './settings.ts';
import { OnnxRunError, type Port, type Tensor } from './types.ts';
import { type NamedOutput, ResultFiles } from './write-results.ts';

export interface OnnxRun {
  /** The model's .onnx file. */
  readonly model: string;
  /** Files and folders. */
  readonly inputs: readonly string[];
  /** The path of the results, without an extension: of one file, or of a folder. Nothing may be there yet. */
  readonly output: string;
  readonly settings: OnnxSettings;
  /** A line about how it goes. */
  readonly say: (line: string) => void;
}

/**
 * Runs a model on all data, and writes its outputs.
 * @throws OnnxRunError with a message for people; what the file system throws
 */
export async function runOnnx({ model: path, inputs, output, settings, say }: OnnxRun): Promise<void> {
  await checkModelFile(path);
  const model = await openModel(path, basename(path), settings.threads);
  say(`Inputs: ${portsText(model.inputs)}`);
  say(`Outputs: ${portsText(model.outputs)}`);
  if (model.leftOut.length > 0) say(`Left out, since they are no tensors: ${portsText(model.leftOut)}`);
  const samples = matchSamples(await findDataFiles(inputs), model.inputs);
  const results = new ResultFiles(output, samples.length, settings.format);
  let done = 0;
  for (const group of groupImages(samples, model, settings)) {
    const outputs = group.length > 1 || isImage(group[0]) ? runImages : runArrays;
    const named = await outputs(model, group, settings);
    for (const [i, sample] of group.entries()) {
      await results.write(sample.label, named[i] as NamedOutput[]);
      done += 1;
      say(`${done}/${samples.length} ${sample.label}`);
    }
  }
}

function portsText(ports: readonly Port[]): string {
  return ports.map((port) => `${port.name} ${portText(port)}`).join('; ') || 'none';
}

function isImage(sample: Sample | undefined): boolean {
  const [file, ...others] = [...(sample?.files.values() ?? [])];
  return file?.kind === 'image' && others.length === 0;
}

/** Images that run together, and everything else by itself. */
function* groupImages(samples: readonly Sample[], { inputs }: Model, settings: OnnxSettings): Generator<Sample[]> {
  const size = imageBatch(inputs[0], settings);
  let group: Sample[] = [];
  for (const sample of samples) {
    if (group.length > 0 && (group.length === size || !isImage(sample))) {
      yield group;
      group = [];
    }
    if (isImage(sample)) group.push(sample);
    else yield [sample];
  }
  if (group.length > 0) yield group;
}

/** What the model declares comes before what a person chose: a model of fixed size takes no other. */
function imageBatch(port: Port | undefined, { batch = 1 }: OnnxSettings): number {
  const declared = port?.shape?.length === 4 ? port.shape[0] : undefined;
  return typeof declared === 'number' && declared > 0 ? declared : port?.shape?.length === 3 ? 1 : batch;
}

/** Runs some images at once; a model that takes more at once than there are gets the last one several times. */
async function runImages(model: Model, group: readonly Sample[], settings: OnnxSettings): Promise<NamedOutput[][]> {
  const [port] = model.inputs as [Port];
  const tensors: Tensor[] = [];
  for (const { files } of group) tensors.push(await readTensor(port, files.get(port.name) as DataFile, settings));
  const size = port.shape?.length === 4 && (port.shape[0] as number) > 1 ? (port.shape[0] as number) : tensors.length;
  while (tensors.length < size) tensors.push(tensors.at(-1) as Tensor);
  const joined = joinRows(tensors);
  if (joined === undefined)
    throw new OnnxRunError('Images that run together must have one size. Add --set width=... --set height=...');
  const outputs = await model.run(new Map([[port.name, joined]]));
  if (size === 1) return [[...outputs]];
  return group.map((_, i) => [...outputs].map(([name, output]): NamedOutput => [name, rowOf(name, output, i, size)]));
}

function rowOf(name: string, output: Output, row: number, rows: number): Output {
  if (output.dtype !== 'string' && output.shape[0] === rows) return rowsOf(output, row, row + 1);
  throw new OnnxRunError(
    `The output "${name}" has not one row for each of ${rows} images. Run one at a time: --set batch=1.`,
  );
}

async function runArrays(model: Model, [sample]: readonly Sample[], settings: OnnxSettings): Promise<NamedOutput[][]> {
  const { files } = sample as Sample;
  const feed = new Map<string, Tensor>();
  for (const port of model.inputs)
    feed.set(port.name, await readTensor(port, files.get(port.name) as DataFile, settings));
  const rows: number[] = [];
  const outputs: Map<string, Output>[] = [];
  for (const part of splitFeed(feed, model.inputs, settings.batch)) {
    rows.push([...part.values()][0]?.shape[0] ?? 0);
    outputs.push(await model.run(fitAll(part, model.inputs, files)));
  }
  return [
    model.outputs.flatMap(({ name }) =>
      joined(
        name,
        outputs.map((all) => all.get(name) as Output),
        rows,
      ),
    ),
  ];
}

function fitAll(feed: Feed, ports: readonly Port[], files: Sample['files']): Feed {
  const sizes: NamedSizes = new Map();
  return new Map(
    ports.map((port) => {
      const fitted = fitShape(port, feed.get(port.name) as Tensor, (files.get(port.name) as DataFile).name, sizes);
      if (typeof fitted === 'string') throw new OnnxRunError(fitted);
      return [port.name, fitted];
    }),
  );
}

/** One output of all runs, or each run's by itself where they cannot be joined. */
function joined(name: string, outputs: readonly Output[], rows: readonly number[]): NamedOutput[] {
  const whole = joinOutputs(outputs, rows);
  if (whole !== undefined) return [[name, whole]];
  return outputs.map((output, i) => [`${name}.${String(i + 1).padStart(4, '0')}`, output]);
}

async function readTensor(port: Port, file: DataFile, settings: OnnxSettings): Promise<Tensor> {
  if (port.dtype === undefined)
    throw new OnnxRunError(`The model's input "${port.name}" takes ${port.typeName}, which no data file can hold.`);
  if (file.kind === 'image') return toImageTensor(await readImage(file.path, file.name), port, settings);
  const tensor = await readNpy(file.path, file.name);
  const converted = convert(tensor, port.dtype);
  if (typeof converted !== 'string') return converted;
  throw new OnnxRunError(
    `The model's input "${port.name}" takes ${port.dtype}, and ${file.name} has ${tensor.dtype}: ${converted}. Convert it, for example with .astype('${port.dtype}').`,
  );
}
