import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, fileVersion, ignoreMissing, withLock, writeFileAtomic } from '@model-rtc/files';
import { ModelRtcError, schemaProblem } from '@model-rtc/protocol';
import * as z from 'zod';
import { MAX_RUNNERS_FILE_BYTES } from '../limits.ts';
import { type Runner, runnerSchema } from './runner-schema.ts';

const VERSION = 1;
const runnersFileSchema = z.strictObject({ version: z.literal(VERSION), runners: z.array(z.unknown()) });

/** A runner as `runners.json` holds it: one that a later version wrote, or a person broke, is named with what is wrong. */
export type StoredRunner =
  | { readonly name: string; readonly runner: Runner; readonly problem: undefined }
  | { readonly name: string; readonly runner: undefined; readonly problem: string };

/** The runners that this machine's owner declared, in `runners.json` of the data folder. Several processes may use it. */
export class RunnerStore {
  readonly path: string;
  #read: { readonly version: string | undefined; readonly runners: readonly StoredRunner[] } | undefined;

  /** @param root the data folder */
  constructor(root: string) {
    this.path = join(root, 'runners.json');
  }

  /** All runners as the file has them now. @throws ModelRtcError `storage` when the file is damaged */
  async list(): Promise<readonly StoredRunner[]> {
    const version = await fileVersion(this.path);
    // Before reading: a change meanwhile is seen next time.
    if (this.#read === undefined || this.#read.version !== version) {
      this.#read = { version, runners: (await this.#stored()).map(parseStored) };
    }
    return this.#read.runners;
  }

  /** Adds a runner, or replaces the one of its name. @returns whether there was one */
  async put(runner: Runner): Promise<boolean> {
    return await this.#change((stored) => {
      const others = stored.filter((other) => nameOf(other) !== runner.name);
      return { stored: [...others, runner], isThere: others.length < stored.length };
    });
  }

  /** @returns whether there was one of this name */
  async remove(name: string): Promise<boolean> {
    return await this.#change((stored) => {
      const others = stored.filter((other) => nameOf(other) !== name);
      return { stored: others, isThere: others.length < stored.length };
    });
  }

  async #change(
    change: (stored: readonly unknown[]) => { readonly stored: readonly unknown[]; readonly isThere: boolean },
  ): Promise<boolean> {
    return await withLock(`${this.path}.lock`, {}, async () => {
      const { stored, isThere } = change(await this.#stored());
      const text = `${JSON.stringify({ version: VERSION, runners: stored }, undefined, 2)}\n`;
      await writeFileAtomic(this.path, text, { mode: 0o600 });
      return isThere;
    });
  }

  async #stored(): Promise<readonly unknown[]> {
    const text = await atStorage(this.path, 'read', () => readBounded(this.path));
    if (text === undefined) return [];
    try {
      return runnersFileSchema.parse(JSON.parse(text)).runners;
    } catch (thrown) {
      const sentence = `${this.path} is damaged. Fix the file, or move it away and add the runners again.`;
      throw ModelRtcError.because(thrown, 'storage', sentence);
    }
  }
}

/** A runner from the JSON of its owner. @throws ModelRtcError `bad_argument` that names the field */
export function parseRunner(value: unknown): Runner {
  const parsed = runnerSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problem = schemaProblem(parsed.error, 'the runner');
  throw ModelRtcError.because(parsed.error, 'bad_argument', `The runner is not valid: ${problem}. See docs/track.md.`);
}

function parseStored(stored: unknown): StoredRunner {
  const parsed = runnerSchema.safeParse(stored);
  if (parsed.success) return { name: parsed.data.name, runner: parsed.data, problem: undefined };
  return { name: nameOf(stored), runner: undefined, problem: schemaProblem(parsed.error) };
}

function nameOf(stored: unknown): string {
  const { name } = (typeof stored === 'object' && stored !== null ? stored : {}) as { readonly name?: unknown };
  return typeof name === 'string' ? name : '?';
}

async function readBounded(path: string): Promise<string | undefined> {
  const file = await ignoreMissing(open(path, 'r'));
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    // An empty text is no JSON, so the file counts as damaged.
    return size > MAX_RUNNERS_FILE_BYTES ? '' : await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
