/** One process of this machine at one moment. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** When it started: tells a reused process id. */
  readonly started: string;
  /** The program's name, cut to 15 characters. */
  readonly name: string;
  /** It has ended, and its parent has not read its exit code yet. */
  readonly isZombie: boolean;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/** The processes of this machine. */
export interface ProcessTable {
  /** All processes now, by id. */
  read(): Promise<ReadonlyMap<number, ProcessInfo>>;
  /** Whether a process was started with this variable in its environment; false when nobody may know. */
  hasVariable(pid: number, variable: string): Promise<boolean>;
  /** Memory of processes without counting what they share twice; undefined where the system does not say. */
  ownMemoryBytes(pids: readonly number[]): Promise<number | undefined>;
}

/** Programs of this machine that limits and confinement use; undefined for one that is missing or does not work here. */
export interface Tools {
  readonly bubblewrap: Tool;
  readonly prlimit: Tool;
  readonly taskset: Tool;
  readonly nvidiaSmi: Tool;
  readonly systemdRun: SystemdTool | { readonly path: undefined; readonly problem: string };
}

/** Either where it is, or why it cannot be used, as a sentence that says what to do. */
export type Tool =
  | { readonly path: string; readonly problem: undefined }
  | { readonly path: undefined; readonly problem: string };

export interface SystemdTool {
  readonly path: string;
  readonly problem: undefined;
  /** How it is called before the properties: for the system's manager, or the user's own. */
  readonly args: readonly string[];
}

/** What is started, in whole. */
export interface Command {
  /** The absolute path of a program, and its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What a job may use; undefined for no limit. */
export interface ResourceLimits {
  readonly timeMs: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly cpus: number | undefined;
  readonly outputBytes: number;
}

export interface Usage {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly processes: number;
  readonly gpuMemoryBytes: number | undefined;
}
