import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { controlGroupOf } from './control-group.ts';
import type { ProcessInfo, ProcessTable } from './types.ts';

/** The variable that is in the environment of every process of a job; its value is the job's marker. */
export const MARKER_VARIABLE = 'MODEL_RTC_JOB';

export interface JobProcessesOptions {
  readonly table: ProcessTable;
  /** The program's process, which leads a process group. */
  readonly pid: number;
  readonly marker: string;
  /** What systemd was told to call the job's control group, where there is systemd. */
  readonly unit: string | undefined;
  /** When it started, by the table. */
  readonly started: string;
  /** An earlier worker started it, so that its process id and group may be those of others by now. */
  readonly isLeft?: boolean | undefined;
}

/** Between two looks whether processes have ended. */
const POLL_MS = 50;
/** A process that a signal does not end within this time waits for a device, and no signal will. */
const UNKILLABLE_AFTER_MS = 10_000;

/**
 * The processes of one job: its program, those in its process group or control group, all that those started, and all that
 * carry its marker. The last two find processes that left the group with setsid; one that leaves it, loses its parent and
 * clears its environment between two looks is found in a control group or a confinement alone.
 */
export class JobProcesses {
  readonly #options: JobProcessesOptions;
  /** Process ids with when they started. */
  readonly #known = new Map<number, string>();
  readonly #others = new Map<number, string>();
  #controlGroup: string | undefined;

  constructor(options: JobProcessesOptions) {
    this.#options = options;
  }

  /** Those that run now. */
  async find(): Promise<readonly ProcessInfo[]> {
    const table = await this.#options.table.read();
    this.#forgetEnded(table);
    const inControlGroup = readControlGroup(this.#findControlGroup());
    const children = childrenOf(table);
    const isGroupOurs = this.#isGroupOurs(table);
    const members = new Map<number, ProcessInfo>();
    const add = (info: ProcessInfo): void => {
      if (members.has(info.pid)) return;
      members.set(info.pid, info);
      this.#known.set(info.pid, info.started);
      for (const child of children.get(info.pid) ?? []) add(child);
    };
    for (const info of table.values()) {
      const isGrouped = info.group === this.#options.pid && isGroupOurs;
      if (isGrouped || inControlGroup.has(info.pid) || (await this.#isMember(info))) add(info);
    }
    return [...members.values()].filter(({ isZombie }) => !isZombie);
  }

  /**
   * Ends all of them: SIGTERM, and SIGKILL to those that are left after a time, until none is left.
   * @returns those that not even SIGKILL ended, which wait for a device
   */
  async end(killAfterMs: number): Promise<readonly ProcessInfo[]> {
    if ((await this.#signal('SIGTERM')) === 0) return [];
    if (await this.#waitUntilGone(killAfterMs)) return [];
    for (const startedMs = performance.now(); performance.now() - startedMs < UNKILLABLE_AFTER_MS; ) {
      if ((await this.#signal('SIGKILL')) === 0) return [];
      await sleep(POLL_MS);
    }
    return await this.find();
  }

  async #waitUntilGone(forMs: number): Promise<boolean> {
    for (const startedMs = performance.now(); performance.now() - startedMs < forMs; ) {
      if ((await this.find()).length === 0) return true;
      await sleep(POLL_MS);
    }
    return false;
  }

  /** @returns how many were there */
  async #signal(signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
    const members = await this.find();
    // All of a control group at once, before one of them starts another.
    if (signal === 'SIGKILL') killControlGroup(this.#controlGroup);
    // Bubblewrap ends at SIGTERM without waiting for what it confines, which then has no time to end by itself. It ends after it.
    const wanted = members.filter(({ name }) => signal === 'SIGKILL' || name !== 'bwrap');
    const isGrouped = wanted.length === members.length && members.some(({ group }) => group === this.#options.pid);
    if (isGrouped) send(-this.#options.pid, signal);
    for (const { pid, group } of wanted) if (!isGrouped || group !== this.#options.pid) send(pid, signal);
    return members.length;
  }

  /** It is made a moment after the start, and stays when the program ends. */
  #findControlGroup(): string | undefined {
    const { pid, unit } = this.#options;
    if (unit !== undefined) this.#controlGroup ??= controlGroupOf(pid, unit);
    return this.#controlGroup;
  }

  #isGroupOurs(table: ReadonlyMap<number, ProcessInfo>): boolean {
    const leader = table.get(this.#options.pid);
    return leader === undefined ? this.#options.isLeft !== true : leader.started === this.#options.started;
  }

  async #isMember({ pid, started }: ProcessInfo): Promise<boolean> {
    const { table, marker } = this.#options;
    if (this.#known.get(pid) === started) return true;
    if (this.#others.get(pid) === started) return false;
    if (await table.hasVariable(pid, `${MARKER_VARIABLE}=${marker}`)) return true;
    this.#others.set(pid, started);
    return false;
  }

  #forgetEnded(table: ReadonlyMap<number, ProcessInfo>): void {
    for (const cache of [this.#known, this.#others]) {
      for (const [pid, started] of cache) if (table.get(pid)?.started !== started) cache.delete(pid);
    }
  }
}

function childrenOf(table: ReadonlyMap<number, ProcessInfo>): ReadonlyMap<number, readonly ProcessInfo[]> {
  const children = new Map<number, ProcessInfo[]>();
  for (const info of table.values()) {
    const siblings = children.get(info.parent);
    if (siblings === undefined) children.set(info.parent, [info]);
    else siblings.push(info);
  }
  return children;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended meanwhile, or runs as another user, which the next look shows.
  }
}

function readControlGroup(folder: string | undefined): ReadonlySet<number> {
  if (folder === undefined) return new Set();
  try {
    return new Set(readFileSync(`${folder}/cgroup.procs`, 'latin1').split('\n').filter(Boolean).map(Number));
  } catch {
    return new Set();
  }
}

function killControlGroup(folder: string | undefined): void {
  if (folder === undefined) return;
  try {
    writeFileSync(`${folder}/cgroup.kill`, '1');
  } catch {
    // Linux before 5.14 has no such file: its processes get the signal one by one.
  }
}
