import { readdir, realpath } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { exists, isInside, listTree } from '@model-rtc/files';
import type { Confinement } from '../process/bubblewrap.ts';
import type { JobPaths } from '../store/job-paths.ts';
import type { JobRecord } from '../store/job-record.ts';
import { type PreparedJob, temporaryFolder } from './prepare-job.ts';

/** Where people and their tools keep keys. A confined job has no network, but what it writes goes to a client. */
const SECRETS = [
  ...['.ssh', '.gnupg', '.aws', '.azure', '.kube', '.docker', '.password-store', '.mozilla', '.netrc.d'],
  ...['.config/gcloud', '.config/gh', '.config/google-chrome', '.local/share/keyrings', '.cache/huggingface/token.d'],
];
/** Devices of GPUs: NVIDIA's, AMD's, and those for all of them. */
const GPU_DEVICE = /^(nvidia.*|kfd|dri)$/;

export interface ConfinementParts {
  readonly record: JobRecord;
  readonly paths: JobPaths;
  readonly prepared: PreparedJob;
  /** The program's absolute path. */
  readonly program: string;
  /** Absolute paths among the arguments that the runner's owner wrote: scripts and weights of its own. */
  readonly ownPaths: readonly string[];
  /** The data folder, with the keys of this machine. */
  readonly root: string;
  /** Other folders that the job must not see. */
  readonly alsoHidden: readonly string[];
  readonly home: string | undefined;
}

/** What a confined job sees: this machine without its secrets, its models and inputs to read, and its own folder to write. */
export async function confinementOf(parts: ConfinementParts): Promise<Confinement> {
  const { record, paths, prepared, root, alsoHidden, home } = parts;
  const hidden = [root, ...alsoHidden, ...(await secretsOf(home))];
  const models = record.resume === undefined ? record.models : [record.resume];
  const readable = new Set([parts.program, await realpath(parts.program), ...parts.ownPaths]);
  for (const { folder } of models) for (const path of await modelPaths(folder)) readable.add(path);
  // A path that an argument names must not bring a whole hidden folder back.
  const shows = (path: string): boolean => hidden.some((folder) => isInside(folder, path));
  return {
    hidden,
    readable: [...[...readable].filter((path) => !isInside(path, paths.folder) && !shows(path)), paths.input],
    writable: [paths.output, paths.work],
    temporary: temporaryFolder(paths),
    devices: (await readdir('/dev')).filter((name) => GPU_DEVICE.test(name)).map((name) => join('/dev', name)),
    cwd: prepared.cwd,
  };
}

async function secretsOf(home: string | undefined): Promise<string[]> {
  if (home === undefined || !isAbsolute(home)) return [];
  const paths = SECRETS.map((name) => join(home, name));
  const found = await Promise.all(paths.map(exists));
  return paths.filter((_, index) => found[index]);
}

/** A model's folder, and the originals of files that are links. */
async function modelPaths(folder: string): Promise<string[]> {
  const links = (await listTree(folder)).filter(({ entry }) => entry.isSymbolicLink());
  const originals = await Promise.all(links.map(({ path }) => realpath(path).catch(() => path)));
  return [folder, await realpath(folder), ...originals];
}
