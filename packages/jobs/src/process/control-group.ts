import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const MOUNTED_AT = '/sys/fs/cgroup';

/**
 * The absolute path of the control group that systemd made for a program; undefined when it made none, so that the group is that
 * of others too.
 * @param unit the name that systemd was given
 */
export function controlGroupOf(pid: number, unit: string): string | undefined {
  try {
    const path = /^0::(\/.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
    return path?.endsWith(`/${unit}.scope`) === true ? join(MOUNTED_AT, path) : undefined;
  } catch {
    return undefined;
  }
}
