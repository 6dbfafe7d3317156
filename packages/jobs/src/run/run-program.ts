import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { DEFAULT_OUTPUT_BYTES } from '../limits.ts';
import { buildCommand } from '../process/build-command.ts';
import { jobEnvironment } from '../process/environment.ts';
import { findProgram } from '../process/find-tools.ts';
import { JobProcesses } from '../process/job-processes.ts';
import { type LaunchedProgram, launch, type ProgramExit } from '../process/launch.ts';
import { cannotStart } from '../process/launch-error.ts';
import type { Command, ResourceLimits } from '../process/types.ts';
import { LimitWatch } from '../process/watch-limits.ts';
import { progressReader } from '../runners/read-progress.ts';
import type { Runner } from '../runners/runner-schema.ts';
import type { StoredJob } from '../store/stored-job.ts';
import { confinementOf } from './confinement.ts';
import { type PreparedJob, temporaryFolder } from './prepare-job.ts';
import { type PumpOptions, pumpOutput } from './pump-output.ts';
import type { StopSwitch } from './stop-switch.ts';
import type { RunContext } from './types.ts';

/** Time to write what was printed last to a slow disk. */
const DRAIN_MS = 10_000;

/**
 * Runs a job's program until nothing of it is left: it ended by itself, passed a limit, or was stopped.
 * @throws ModelRtcError `not_found` when it cannot be started
 */
export async function runProgram(
  job: StoredJob,
  runner: Runner,
  prepared: PreparedJob,
  context: RunContext,
  stop: StopSwitch,
): Promise<ProgramExit> {
  const limits = limitsOf(runner);
  const command = await commandOf(job, runner, prepared, context, limits);
  stop.check();
  const program = await launch(command);
  const started = (await context.table.read()).get(program.pid)?.started ?? '';
  const unit = context.tools.systemdRun.path === undefined ? undefined : unitOf(job);
  const processes = new JobProcesses({
    ...{ table: context.table, pid: program.pid, started, marker: job.record.marker, unit },
  });
  await job.enter('running', {
    startedAt: context.now().toISOString(),
    program: { pid: program.pid, ...(started === '' ? {} : { startTicks: started }) },
  });
  await using watch = new LimitWatch({
    ...{ processes, table: context.table, nvidiaSmi: context.tools.nvidiaSmi, limits, clock: context.clock },
    folders: [job.paths.output, job.paths.work],
    onUsage: ({ cpuSeconds, memoryBytes, gpuMemoryBytes }) => {
      const usage = { cpuSeconds, memoryBytes, ...(gpuMemoryBytes === undefined ? {} : { gpuMemoryBytes }) };
      job.note({ usage });
      job.events?.add({ type: 'usage', ...usage });
    },
    onPassed: (error) => stop.stop({ state: 'failed', error }),
  });
  return await untilGone(job, program, processes, watch, { runner, context, stop });
}

interface Surroundings {
  readonly runner: Runner;
  readonly context: RunContext;
  readonly stop: StopSwitch;
}

async function untilGone(
  job: StoredJob,
  program: LaunchedProgram,
  processes: JobProcesses,
  watch: LimitWatch,
  { runner, context, stop }: Surroundings,
): Promise<ProgramExit> {
  const output = pumpBoth(job, program, runner, context);
  const stopped = new Promise<void>((resolve) => {
    if (stop.signal.aborted) resolve();
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([program.exited, stopped]);
  // What a program leaves running when it ends would go on writing, and hold its GPU.
  const left = await processes.end(context.limits.killAfterMs);
  if (left.length > 0) {
    const pids = left.map(({ pid }) => pid);
    context.log.warn({ job: job.id, pids }, 'processes of a job did not end by SIGKILL: they wait for a device');
  }
  const exit = left.length > 0 ? { code: undefined, signal: undefined } : await program.exited;
  await watch.close();
  await drained(output, program, context);
  return exit;
}

/** What is still in the pipes. A process that hid from us may hold them open; the job does not wait for it. */
async function drained(output: Promise<void>, program: LaunchedProgram, { clock }: RunContext): Promise<void> {
  const giveUp = clock.after(DRAIN_MS, () => program.closeOutput());
  await output;
  giveUp();
}

async function pumpBoth(job: StoredJob, program: LaunchedProgram, runner: Runner, context: RunContext): Promise<void> {
  const { events } = job;
  if (events === undefined) throw new Error('a job that runs has its events');
  const options: PumpOptions = {
    events,
    clock: context.clock,
    readProgress: runner.progress === undefined ? undefined : progressReader(runner.progress),
    onProgress: (progress) => {
      job.note({ progress });
      events.add({ type: 'progress', ...progress });
    },
  };
  await Promise.all([pumpOutput(program.stdout, 'stdout', options), pumpOutput(program.stderr, 'stderr', options)]);
}

function limitsOf({ limits = {} }: Runner): ResourceLimits {
  const { time, memory, cpu, output } = limits;
  return {
    timeMs: time === undefined ? undefined : time * 1000,
    memoryBytes: memory,
    cpus: cpu,
    outputBytes: output ?? DEFAULT_OUTPUT_BYTES,
  };
}

async function commandOf(
  job: StoredJob,
  runner: Runner,
  prepared: PreparedJob,
  { env, root, hidden, tools }: RunContext,
  limits: ResourceLimits,
): Promise<Command> {
  const [name, ...args] = prepared.argv;
  const program = await findProgram(name, runner.env?.PATH ?? env.PATH);
  if (program === undefined) throw cannotStart(name, 'there is no such program');
  const { record, paths } = job;
  const confinement =
    runner.confine === true
      ? await confinementOf({
          record,
          paths,
          prepared,
          program,
          ownPaths: ownPaths(runner),
          root,
          alsoHidden: hidden,
          home: env.HOME,
        })
      : undefined;
  const argv = [program, ...args] as const;
  const temporary = temporaryFolder(paths);
  return {
    argv: buildCommand({ argv, limits, confinement, unit: unitOf(job), allowedCpus: allowedCpus() }, tools),
    cwd: prepared.cwd,
    env: jobEnvironment({ worker: env, runner: runner.env ?? {}, marker: record.marker, jobId: job.id, temporary }),
  };
}

function unitOf(job: StoredJob): string {
  return `model-rtc-job-${job.id}`;
}

/** What the runner's owner names by its absolute path, for a confined job that would not see it below a hidden folder. */
function ownPaths({ args, resume = [], cwd }: Runner): string[] {
  const literal = [...args, ...resume].flat().filter((arg) => isAbsolute(arg) && !arg.includes('{'));
  return cwd === undefined ? literal : [...literal, cwd];
}

/** The processors that this process may use; none where the system does not say. */
function allowedCpus(): number[] {
  let text = '';
  try {
    text = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
  } catch {
    // Not Linux, and so without taskset.
  }
  return text.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    if (first === undefined || last === undefined || !(last >= first)) return [];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
