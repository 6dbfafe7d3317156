import { parseRunner } from '../runners/runner-store.ts';
import type { FoundRunner } from '../types.ts';
import { llamaCli } from './llama-cli.ts';
import { onnx } from './onnx.ts';
import { sleap } from './sleap.ts';
import { sleapNn } from './sleap-nn.ts';
import type { Environment, Preset } from './types.ts';
import { ultralytics } from './ultralytics.ts';

const PRESETS: readonly Preset[] = [onnx, sleapNn, sleap, ultralytics, llamaCli];

/** The runners that every worker knows, each with whether its tool is on this machine. A runner of its owner goes before one of the same name. */
export async function findPresets(env: Environment): Promise<FoundRunner[]> {
  return await Promise.all(
    PRESETS.map(async ({ name, find }) => {
      const { runner, problem } = await find(env);
      return { runner: parseRunner({ name, ...runner }), usable: problem === undefined, reason: problem };
    }),
  );
}
