import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Something that a test needs and a machine may not have. */
export interface Requirement {
  readonly met: boolean;
  /** What is missing, and what to do about it. */
  readonly advice: string;
}

/** What becomes of a suite: it runs, or it is skipped or failed with a sentence that says why. */
export type Verdict =
  | { readonly kind: 'run' }
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'fail'; readonly reason: string };

/**
 * A program on the PATH.
 * @param aptPackage the Debian package that brings it
 */
export function program(name: string, aptPackage: string, path: string | undefined = process.env.PATH): Requirement {
  const met = (path ?? '')
    .split(delimiter)
    .some((folder) => folder !== '' && isAllowed(join(folder, name), constants.X_OK));
  return { met, advice: `${name} is not installed: apt-get install ${aptPackage}` };
}

/** Debian's Python; one of pyenv or conda has no Debian packages. */
export const PYTHON = '/usr/bin/python3';

const PRINT_MISSING_MODULES = `
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:
        print(name)
`;

/** Python modules that Debian has in packages of the name `python3-MODULE`. */
export function pythonModules(names: readonly string[], python = PYTHON): Requirement {
  const { status, stdout } = spawnSync(python, ['-E', '-s', '-c', PRINT_MISSING_MODULES, ...names], {
    encoding: 'utf8',
  });
  const missing = status === 0 ? stdout.split('\n').filter((name) => name !== '') : names;
  const packages = missing.map((name) => `python3-${name}`).join(' ');
  const advice = `${python} lacks ${missing.join(', ')}: apt-get install --no-install-recommends ${packages}`;
  return { met: missing.length === 0, advice };
}

/** A device file that this process may use. */
export function device(path: string, advice: string): Requirement {
  return { met: isAllowed(path, constants.R_OK | constants.W_OK), advice };
}

/** Rights to mount and to make network namespaces. */
export function rootUser(userId: number | undefined = process.getuid?.()): Requirement {
  return { met: userId === 0, advice: 'this needs root: run the tests as root' };
}

/** @throws Error naming what is missing on this machine */
export function assertMet(requirements: readonly Requirement[]): void {
  const missing = requirements.filter(({ met }) => !met);
  if (missing.length > 0) throw new Error(missing.map(({ advice }) => advice).join('; '));
}

/** On a CI machine, where everything was installed, a requirement that is not met is a failure: skipped tests hide faults. */
export function judge(requirements: readonly Requirement[], requireAll: boolean): Verdict {
  const reason = requirements
    .filter(({ met }) => !met)
    .map(({ advice }) => advice)
    .join('; ');
  if (reason === '') return { kind: 'run' };
  return { kind: requireAll ? 'fail' : 'skip', reason };
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
