import { ONNX_PROGRAM } from '../onnx/runtime.ts';
import { checkSettings } from '../runners/check-settings.ts';
import { fillArgs } from '../runners/placeholders.ts';
import type { Runner } from '../runners/runner-schema.ts';
import type { ShownRunner } from './show-runners.ts';
import { tryOnnx } from './try-onnx.ts';

export interface RunnerTrial {
  /** What a job would start, with words in place of paths; undefined for a runner that cannot be read. */
  readonly command: readonly string[] | undefined;
  /** Whether its program was run on an example. */
  readonly ran: boolean;
  /** Why it does not work, as a sentence; undefined when nothing was found to be wrong. */
  readonly problem: string | undefined;
}

/** Stand for what a job has. They are in capitals, as in the commands of `--help`. */
const EXAMPLES = {
  models: ['MODEL'],
  checkpoint: 'CHECKPOINT',
  config: 'CONFIG',
  inputs: ['DATA'],
  output: 'OUTPUT',
} as const;

/** Finds out whether a runner works, as far as that is possible without a model: only our own program is run. */
export async function tryRunner({ runner, reason }: ShownRunner, signal: AbortSignal): Promise<RunnerTrial> {
  if (runner === undefined) return { command: undefined, ran: false, problem: reason };
  const command = exampleCommand(runner);
  if (reason !== undefined || !runner.args.includes(ONNX_PROGRAM)) return { command, ran: false, problem: reason };
  return { command, ran: true, problem: await tryOnnx(runner, signal) };
}

function exampleCommand(runner: Runner): string[] {
  const { texts } = checkSettings(runner, {});
  return fillArgs(runner.args, { ...EXAMPLES, settings: texts });
}
