import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { countOf, isDtype } from './dtypes.ts';
import { MAX_MODEL_PORTS } from './limits.ts';
import { type Dtype, type Numbers, OnnxRunError, type Port, type Tensor } from './types.ts';

type Runtime = typeof import('onnxruntime-node');

/** The program that runs a model in a process of its own. It lies beside this file in the build, and in the command's bundle. */
export const ONNX_PROGRAM = fileURLToPath(new URL('./onnx-runner.js', import.meta.url));

/**
 * The package that runs ONNX models, in the version that this one is tested with: the last one that has nothing built in that
 * reports to its maker which models run.
 */
export const RUNTIME_PACKAGE = 'onnxruntime-node';
const RUNTIME_VERSION = '1.27.0';

/** What to do where the package is not installed. Its install script downloads parts for CUDA, which are not used here. */
export const INSTALL_RUNTIME = `Install it beside model-rtc: npm install --global --ignore-scripts ${RUNTIME_PACKAGE}@${RUNTIME_VERSION} (without --global where model-rtc is installed in a project).`;

/** The severity that the library logs from. */
const FATAL = 4;

/** The numbers of an output, or its texts. */
export type Output = Tensor | { readonly dtype: 'string'; readonly shape: readonly number[]; readonly data: string[] };

/** A model that is ready to run. */
export interface Model {
  readonly inputs: readonly Port[];
  /** Those that are tensors. */
  readonly outputs: readonly Port[];
  /** What the model gives beside them, which is left out. */
  readonly leftOut: readonly Port[];
  run(inputs: ReadonlyMap<string, Tensor>): Promise<Map<string, Output>>;
}

/** Whether the package is there, without loading it. */
export function hasRuntime(): boolean {
  try {
    createRequire(import.meta.url).resolve(RUNTIME_PACKAGE);
    return true;
  } catch {
    return false;
  }
}

/** @throws OnnxRunError when the package is missing or its library does not load here */
function loadRuntime(): Runtime {
  if (!hasRuntime()) throw new OnnxRunError(`${RUNTIME_PACKAGE} is not installed on this machine. ${INSTALL_RUNTIME}`);
  // Versions from 1.29 on report the model's name and hash, and what computes it, to their maker, unless they find this.
  process.env.ORT_DISABLE_TELEMETRY = '1';
  try {
    // By `require`, which also looks where NODE_PATH says.
    return createRequire(import.meta.url)(RUNTIME_PACKAGE) as Runtime;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OnnxRunError(`${RUNTIME_PACKAGE} does not load on this machine: ${reason}`, { cause });
  }
}

/**
 * @param path the model's file; tensors that it keeps in other files are read from its folder
 * @param threads of one operator; undefined for one for each processor
 * @throws OnnxRunError when the file is no model that the runtime can run
 */
export async function openModel(path: string, name: string, threads: number | undefined): Promise<Model> {
  const runtime = loadRuntime();
  const options: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    // What fails is thrown as well.
    logSeverityLevel: FATAL,
    ...(threads !== undefined && { intraOpNumThreads: threads }),
  };
  const session = await attempt(`${name} cannot be loaded`, () => runtime.InferenceSession.create(path, options));
  const outputs = session.outputMetadata.map(toPort);
  const isKept = ({ dtype, typeName }: Port) => dtype !== undefined || typeName === 'string';
  const model = { inputs: session.inputMetadata.map(toPort), outputs: outputs.filter(isKept) };
  if (model.inputs.length > MAX_MODEL_PORTS || outputs.length > MAX_MODEL_PORTS)
    throw new OnnxRunError(`${name} has more than ${MAX_MODEL_PORTS} inputs or outputs.`);
  return {
    ...model,
    leftOut: outputs.filter((port) => !isKept(port)),
    async run(inputs) {
      const feeds = Object.fromEntries([...inputs].map(([key, tensor]) => [key, toRuntime(runtime, tensor)]));
      const names = model.outputs.map((port) => port.name);
      const results = await attempt(`${name} failed`, () => session.run(feeds, names, { logSeverityLevel: FATAL }));
      return new Map(names.map((key) => [key, fromRuntime(results[key] as RuntimeTensor)]));
    },
  };
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OnnxRunError(`${what}: ${reason}`, { cause });
  }
}

function toPort(metadata: InferenceSession.ValueMetadata): Port {
  if (!metadata.isTensor) return { name: metadata.name, dtype: undefined, typeName: 'a map or list', shape: undefined };
  const { name, type, shape } = metadata;
  return { name, dtype: isDtype(type) ? type : undefined, typeName: type, shape };
}

function toRuntime(runtime: Runtime, { dtype, shape, data }: Tensor): RuntimeTensor {
  return new runtime.Tensor(dtype, data as never, [...shape]) as RuntimeTensor;
}

function fromRuntime({ type, dims, data }: RuntimeTensor): Output {
  if (type === 'string') return { dtype: 'string', shape: dims, data: data as string[] };
  const numbers = data as unknown as Numbers;
  // Newer versions of Node have an array of 16-bit floats.
  const isBits = type !== 'float16' || numbers instanceof Uint16Array;
  const bits = isBits ? numbers : new Uint16Array(numbers.buffer, numbers.byteOffset, countOf(dims));
  return { dtype: type as Dtype, shape: dims, data: bits };
}
