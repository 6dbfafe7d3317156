import { findProgram } from '../process/find-tools.ts';
import type { Preset, PresetRunner } from './types.ts';

export interface ProgramPreset {
  readonly name: string;
  /** The program of the tool, looked for in the PATH. */
  readonly program: string;
  /** A sentence for where it is missing. */
  readonly install: string;
  /** @param path of the program; its name where it is missing */
  runner(path: string): PresetRunner;
}

/** A preset for a tool that is one program. */
export function programPreset({ name, program, install, runner }: ProgramPreset): Preset {
  return {
    name,
    async find({ PATH }) {
      const path = await findProgram(program, PATH);
      const problem = `${program} is not in the PATH of the worker. ${install}`;
      return { problem: path === undefined ? problem : undefined, runner: runner(path ?? program) };
    },
  };
}
