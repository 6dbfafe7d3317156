import { isFolder } from '@model-rtc/files';
import { ModelRtcError, type RunnerSummary, runnerNameSchema, withoutUndefined } from '@model-rtc/protocol';
import { findProgram, findTools } from '../process/find-tools.ts';
import type { Tools } from '../process/types.ts';
import type { FoundRunner } from '../types.ts';
import type { Runner } from './runner-schema.ts';
import type { RunnerStore, StoredRunner } from './runner-store.ts';

/** Looking for the tools of presets starts programs, so that an answer is used for a while. */
const PRESETS_KEPT_MS = 60_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** A runner, and who declared it. */
interface KnownRunner extends FoundRunner {
  readonly origin: 'owner' | 'preset';
}

/** The runners of this machine: those of its owner, and those that were found; one of its owner goes before one of its name. */
export class KnownRunners {
  readonly #store: RunnerStore;
  readonly #findPresets: () => Promise<readonly FoundRunner[]>;
  readonly #tools: Tools;
  readonly #env: Environment;
  #presets: Promise<readonly FoundRunner[]> | undefined;
  #presetsAtMs = 0;

  constructor(store: RunnerStore, findPresets: () => Promise<readonly FoundRunner[]>, tools: Tools, env: Environment) {
    this.#store = store;
    this.#findPresets = findPresets;
    this.#tools = tools;
    this.#env = env;
  }

  /** @throws ModelRtcError `storage` when the owner's file is damaged */
  async list(): Promise<readonly KnownRunner[]> {
    const declared = await Promise.all((await this.#store.list()).map((stored) => this.#known(stored)));
    const own = declared.filter((known) => known !== undefined);
    const names = new Set(own.map(({ runner }) => runner.name));
    const presets = (await this.#foundPresets()).filter(({ runner }) => !names.has(runner.name));
    return [...own, ...presets.map((found) => ({ ...found, origin: 'preset' as const }))];
  }

  /** @throws ModelRtcError `not_found` when it is declared no more, `refused` when it cannot run */
  async get(name: string): Promise<Runner> {
    const found = (await this.list()).find(({ runner }) => runner.name === name);
    if (found?.usable === true) return found.runner;
    if (found === undefined) {
      throw new ModelRtcError('not_found', `The worker has no runner ${name} any more. Choose another with --runner.`);
    }
    throw new ModelRtcError('refused', `The runner ${name} cannot run on the worker: ${found.reason ?? ''}`.trim());
  }

  async summaries(): Promise<RunnerSummary[]> {
    return (await this.list()).map(summaryOf);
  }

  async concurrencies(): Promise<ReadonlyMap<string, number>> {
    return new Map((await this.list()).map(({ runner }) => [runner.name, runner.concurrency ?? 1]));
  }

  async #known(stored: StoredRunner): Promise<KnownRunner | undefined> {
    if (stored.runner === undefined) return brokenRunner(stored);
    const reason = await problemWith(stored.runner, this.#tools, this.#env);
    return { runner: stored.runner, origin: 'owner', usable: reason === undefined, reason };
  }

  async #foundPresets(): Promise<readonly FoundRunner[]> {
    const nowMs = performance.now();
    if (this.#presets === undefined || nowMs - this.#presetsAtMs > PRESETS_KEPT_MS) {
      this.#presetsAtMs = nowMs;
      this.#presets = this.#findPresets();
    }
    return await this.#presets;
  }
}

/**
 * Why a runner cannot run on this machine, as a sentence that says what to do; undefined when it can.
 * @param env of the worker, whose PATH says where programs are
 */
export async function runnerProblem(runner: Runner, env: Environment): Promise<string | undefined> {
  return await problemWith(runner, await findTools(env), env);
}

async function problemWith(runner: Runner, tools: Tools, env: Environment): Promise<string | undefined> {
  if (process.platform === 'win32') return 'Jobs do not run on Windows yet. Use a worker on Linux or macOS.';
  const programs = [runner.args[0], runner.resume?.[0]].filter((program) => typeof program === 'string');
  for (const program of programs) {
    if ((await findProgram(program, runner.env?.PATH ?? env.PATH)) === undefined) {
      return `The program ${program} is not there, or may not be run. Install it, or name it by its absolute path.`;
    }
  }
  if (runner.cwd !== undefined && !(await isFolder(runner.cwd)))
    return `The folder ${runner.cwd} is not there. Make it.`;
  if (runner.confine === true && tools.bubblewrap.path === undefined) {
    return `It is confined, and that needs bubblewrap. ${tools.bubblewrap.problem}`;
  }
  return undefined;
}

/** One that somebody broke in the file keeps its name, so that whoever asks for it learns why it does not run. */
function brokenRunner({ name, problem }: StoredRunner & { readonly runner: undefined }): KnownRunner | undefined {
  if (!runnerNameSchema.safeParse(name).success) return undefined;
  const reason = `Its declaration is not valid: ${problem}. Let the worker's owner add it again.`;
  return { runner: { name, args: [name] }, origin: 'owner', usable: false, reason };
}

function summaryOf({ runner, origin, usable, reason }: KnownRunner): RunnerSummary {
  const { name, description, types = [], inputs = [], set = {}, resume, allowUnsafeModels = false } = runner;
  const declared = Object.entries(set).map(([key, { flag: _, ...declaration }]) => [key, declaration] as const);
  return {
    ...{ name, origin, types: [...types], inputs: [...inputs], set: Object.fromEntries(declared) },
    ...{ resumes: resume !== undefined, allowsUnsafeModels: allowUnsafeModels, usable },
    ...withoutUndefined({ description, reason }),
  };
}
