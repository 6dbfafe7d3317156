import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import * as z from 'zod';

/** Who holds a lock, as its file says. */
export const lockOwnerSchema = z.object({
  pid: z.number().int().min(1),
  host: z.string().max(256),
  /** Process ids mean the same only within one of these; Linux only. */
  pidNamespace: z.string().max(256).optional(),
  /** Another boot of the same host ended all its processes; Linux only. */
  boot: z.string().max(256).optional(),
  /** When the process started, in clock ticks since the boot: tells a reused process id; Linux only. */
  startTicks: z.string().max(32).optional(),
  /** When it took the lock, by its own clock (ISO 8601). */
  takenAt: z.string().max(32).optional(),
  /** Different each time that someone takes a lock. */
  token: z.string().min(1).max(64),
});
export type LockOwner = z.infer<typeof lockOwnerSchema>;

/** This process as a lock's owner. */
export async function describeSelf(token: string): Promise<LockOwner> {
  const [pidNamespace, boot, process_] = await Promise.all([
    readlink('/proc/self/ns/pid').catch(() => undefined),
    readBoot(),
    readProcess(process.pid),
  ]);
  const takenAt = new Date().toISOString();
  return { pid: process.pid, host: hostname(), pidNamespace, boot, startTicks: process_?.startTicks, takenAt, token };
}

/**
 * Whether the owner still runs; `unknown` for an owner on another machine or in another container, whose processes cannot be
 * seen from here.
 */
export async function ownerState(owner: LockOwner, self: LockOwner): Promise<'alive' | 'dead' | 'unknown'> {
  if (owner.host !== self.host) return 'unknown';
  if (owner.boot !== undefined && self.boot !== undefined && owner.boot !== self.boot) return 'dead';
  if (owner.pidNamespace !== self.pidNamespace) return 'unknown';
  if (!processExists(owner.pid)) return 'dead';
  const running = await readProcess(owner.pid);
  if (running === undefined) return 'alive';
  // A zombie has ended; its parent has not read its exit code yet.
  if (running.state === 'Z' || running.state === 'X') return 'dead';
  return owner.startTicks === undefined || owner.startTicks === running.startTicks ? 'alive' : 'dead';
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: it runs as another user.
    return (thrown as { code?: unknown }).code !== 'ESRCH';
  }
}

async function readBoot(): Promise<string | undefined> {
  const text = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined);
  return text?.trim();
}

/** The state and start of a process from /proc/PID/stat (proc_pid_stat(5): fields 3 and 22, after the name in brackets). */
async function readProcess(pid: number): Promise<{ state: string; startTicks: string } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields?.[0];
  const startTicks = fields?.[19];
  return state === undefined || startTicks === undefined ? undefined : { state, startTicks };
}
