import { parseRunner } from '../runners/runner-store.ts';
import type { FoundRunner } from '../types.ts';
import { onnx } from './onnx.ts';
import type { Environment, Preset } from './types.ts';

const PRESETS: readonly Preset[] = [onnx];

/** The runners that every worker knows, each with whether its tool is on this machine. A runner of its owner goes before one of the same name. */
export async function findPresets(env: Environment): Promise<FoundRunner[]> {
  return await Promise.all(
    PRESETS.map(async ({ name, find }) => {
      const { runner, problem } = await find(env);
      return { runner: parseRunner({ name, ...runner }), usable: problem === undefined, reason: problem };
    }),
  );
}
