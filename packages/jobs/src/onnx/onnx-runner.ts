/** The program of the `onnx` runner: runs a model on data, in a process of its own, which a model may bring down. */
import { parseArgs } from 'node:util';
import { runOnnx } from './run-onnx.ts';
import { parseSettings } from './settings.ts';
import { NOT_TRIED, NotTriedError, tryModel } from './try-model.ts';
import { OnnxRunError } from './types.ts';

const OPTIONS = {
  model: { type: 'string' },
  input: { type: 'string', multiple: true, default: [] as string[] },
  output: { type: 'string' },
  layout: { type: 'string', default: 'auto' },
  width: { type: 'string' },
  height: { type: 'string' },
  color: { type: 'string', default: 'auto' },
  divide: { type: 'string', default: '255' },
  mean: { type: 'string', default: '0' },
  std: { type: 'string', default: '1' },
  batch: { type: 'string' },
  format: { type: 'string', default: 'npy' },
  threads: { type: 'string' },
  /** Run the model once on numbers that are made for it, and look at what comes out. */
  try: { type: 'boolean', default: false },
} as const;

try {
  const { values } = parseArgs({ options: OPTIONS });
  const { model, input, output } = values;
  if (values.try && model !== undefined) say(await tryModel(model));
  else if (model === undefined || output === undefined)
    throw new OnnxRunError('Pass --model, --input and --output, or --model and --try.');
  else await runOnnx({ model, inputs: input, output, settings: parseSettings(values), say });
} catch (error) {
  // Only what it says: a person reads it as the last line of the job.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof NotTriedError ? NOT_TRIED : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
