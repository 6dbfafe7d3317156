import { isBuiltin } from 'node:module';
import { dirname, normalize } from 'node:path/posix';
import { BROWSER_ENTRIES, packageName, ROOMS, type Room, roomOf } from './workspaces.ts';

/** Whether one package may depend on another: only on those before it in the list of rooms. */
export function mayDependOn(room: Room, other: Room): boolean {
  return ROOMS.indexOf(other) < ROOMS.indexOf(room);
}

/**
 * The first rule about the arrows between packages that an import breaks, or undefined.
 * @param file the importing file, from the repository's root: `packages/registry/src/index.ts`
 */
export function importProblem(file: string, specifier: string): string | undefined {
  const [, own, part] = file.split('/') as [string, Room, string];
  if (specifier.startsWith('.')) return relativeProblem(file, specifier, own, part);
  const target = roomOf(specifier);
  if (target !== undefined) return roomProblem(file, specifier, own, part, target);
  const forBrowsers = BROWSER_ENTRIES.find(({ sources }) => file.startsWith(sources));
  if (forBrowsers !== undefined && isBuiltin(specifier)) {
    return `${file} imports ${specifier}, but ${forBrowsers.specifier} also runs in a browser`;
  }
  return undefined;
}

function relativeProblem(file: string, specifier: string, own: Room, part: string): string | undefined {
  const target = normalize(`${dirname(file)}/${specifier}`);
  // Tests may share helpers at the repository's root; what is published may reach nothing beside itself.
  const allowed = part === 'src' ? [`packages/${own}/src/`] : [`packages/${own}/`, 'test/'];
  if (allowed.some((folder) => target.startsWith(folder))) return undefined;
  return `${file} reaches ${target}: another package is imported by its name`;
}

function roomProblem(
  file: string,
  specifier: string,
  own: Room,
  part: string,
  target: { room: Room; deep: boolean },
): string | undefined {
  if (target.deep) return `${file} imports ${specifier}: only ${packageName(target.room)} itself is public`;
  const ownFace = part !== 'src' && target.room === own;
  if (ownFace || mayDependOn(own, target.room)) return undefined;
  return `${file} imports ${specifier}, which does not come before ${own} in the list of rooms`;
}
