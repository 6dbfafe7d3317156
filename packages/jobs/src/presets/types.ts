import type { z } from 'zod';
import type { runnerSchema } from '../runners/runner-schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A runner for a tool that many people have: nobody needs to declare it. */
export interface Preset {
  readonly name: string;
  /** Looks for the tool. @param env of the worker, whose PATH says where programs are */
  find(env: Environment): Promise<FoundPreset>;
}

export interface FoundPreset {
  /** The runner; also where the tool is missing, so that a person sees what it would be. */
  readonly runner: PresetRunner;
  /** Why it cannot run, as a sentence that says what to do; undefined when it can. */
  readonly problem: string | undefined;
}

export type PresetRunner = Omit<z.input<typeof runnerSchema>, 'name'>;
