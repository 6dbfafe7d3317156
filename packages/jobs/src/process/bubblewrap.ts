/** What a confined job may see and write. All paths are absolute. */
export interface Confinement {
  /** Folders that it may write to. */
  readonly writable: readonly string[];
  /** What it reads that lies in a hidden folder. */
  readonly readable: readonly string[];
  /** Folders that it finds empty: what nobody but their owner may read. */
  readonly hidden: readonly string[];
  /** The folder of its temporary files; it sees it as `/tmp`. */
  readonly temporary: string;
  /** Devices beside the usual few, such as those of a GPU. */
  readonly devices: readonly string[];
  readonly cwd: string;
}

/** No network, own processes, users and other names; ends with the worker; a session of its own, so that it reaches no terminal. */
const APART = ['--unshare-all', '--die-with-parent', '--new-session'] as const;
const SYSTEM = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'] as const;

/** Sockets of services (docker, dbus) lie below /run, and nothing in a read-only file system keeps a program from using them. */
const ALWAYS_HIDDEN = ['/run', '/var/tmp'] as const;

/** The arguments for bubblewrap before the program's own. */
export function bubblewrapArgs({ writable, readable, hidden, temporary, devices, cwd }: Confinement): string[] {
  const empty = [...ALWAYS_HIDDEN, ...hidden];
  return [
    ...APART,
    ...SYSTEM,
    ...devices.flatMap((path) => ['--dev-bind-try', path, path]),
    // Before the hidden folders, which may lie below it.
    ...['--bind', temporary, '/tmp'],
    ...empty.flatMap((path) => ['--tmpfs', path]),
    ...readable.flatMap((path) => ['--ro-bind-try', path, path]),
    ...writable.flatMap((path) => ['--bind', path, path]),
    // They lie in memory, which nothing that is written there may fill. What is bound below stays as it is.
    ...empty.flatMap((path) => ['--remount-ro', path]),
    ...['--chdir', cwd, '--'],
  ];
}

/** Uses all of it on a program that does nothing. */
export function bubblewrapProbe(): string[] {
  return [...APART, ...SYSTEM, '--tmpfs', '/run', '--remount-ro', '/run', '--', 'true'];
}
