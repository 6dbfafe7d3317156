/**
 * The permission bits of a file that the registry owns. Only whether it can be run is taken from elsewhere; who may read
 * and write it is this machine's to say.
 */
export function modeOf(mode: number | undefined, umask: number): number {
  return (((mode ?? 0) & 0o111) === 0 ? 0o666 : 0o777) & ~umask;
}
