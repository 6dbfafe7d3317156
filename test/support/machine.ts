import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandOptions, type CommandResult, type RunningCommand, startCommand } from './command.ts';

/** The built command line, as a user runs it. */
const MAIN = fileURLToPath(new URL('../../packages/cli/bin/main.js', import.meta.url));

export interface MachineOptions {
  /** The data folder; a new one unless told. A tmpfs here is a small disk. */
  readonly home?: string | undefined;
  /** Set for every command of this machine. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** What stands before the command: `['ip', 'netns', 'exec', 'lab1']`. */
  readonly prefix?: readonly string[] | undefined;
  /** What is run in place of the built command line. */
  readonly program?: readonly [string, ...string[]] | undefined;
}

/** One computer with model-rtc on it: its own data folder and home, and the processes that were started there. */
export interface Machine {
  readonly name: string;
  /** Its MODEL_RTC_HOME. */
  readonly home: string;
  /** A folder for its other files. */
  readonly folder: string;
  /** Runs `model-rtc ARGS` to its end, with any exit code. */
  run(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs it and fails unless it exits 0. */
  succeed(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Starts `model-rtc ARGS` and leaves it running until it ends, is killed, or the lab closes. */
  start(args: readonly string[], options?: CommandOptions): RunningCommand;
  /** Kills all that still runs. */
  stop(): Promise<void>;
}

export function createMachine(name: string, folder: string, options: MachineOptions = {}): Machine {
  const home = options.home ?? join(folder, 'model-rtc');
  const program = options.program ?? builtProgram();
  const running = new Set<RunningCommand>();

  function start(args: readonly string[], { env, ...rest }: CommandOptions = {}): RunningCommand {
    const [file = '', ...before] = [...(options.prefix ?? []), ...program];
    const environment = machineEnvironment(process.env, { folder, home, env: { ...options.env, ...env } });
    const command = startCommand([file, ...before, ...args], { cwd: folder, ...rest, env: environment });
    running.add(command);
    void command.exited.finally(() => running.delete(command)).catch(() => undefined);
    return command;
  }

  return {
    name,
    home,
    folder,
    start,
    run: async (args, commandOptions) => await start(args, commandOptions).exited,
    succeed: async (args, commandOptions) => {
      const result = await start(args, commandOptions).exited;
      if (result.exitCode === 0) return result;
      const { exitCode, signal, stdout, stderr } = result;
      throw new Error(
        `model-rtc ${args.join(' ')} on ${name} ended with ${exitCode ?? signal}\n--- stdout\n${stdout}\n--- stderr\n${stderr}`,
      );
    },
    stop: async () => {
      await Promise.all([...running].map((command) => command.kill('SIGKILL')));
    },
  };
}

function builtProgram(): readonly [string, ...string[]] {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run npm run build first`);
  return [process.execPath, MAIN];
}

/**
 * The environment of a machine's commands: what the person who runs the tests has set must not reach them, since
 * their own registry, sessions and Node options would change what is tested.
 */
export function machineEnvironment(
  inherited: NodeJS.ProcessEnv,
  machine: { folder: string; home: string; env: Readonly<Record<string, string | undefined>> },
): Record<string, string | undefined> {
  const kept = Object.entries(inherited).filter(
    ([name]) => !/^(MODEL_RTC_|AWS_|HF_|HUGGING|XDG_|NODE_|JEST_|npm_|FORCE_COLOR$)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    NO_COLOR: '1',
    HOME: machine.folder,
    MODEL_RTC_HOME: machine.home,
    ...machine.env,
  };
}
