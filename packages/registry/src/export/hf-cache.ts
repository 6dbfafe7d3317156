import { createHash } from 'node:crypto';
import { mkdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { atStorage, errorCode, ignoreMissing, syncFolder, writeFileAtomic } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { hasBytes, removeLeft, type SourceFile, temporaryIn } from './place-file.ts';
import type { PlacedModel, Placing } from './placing.ts';

/** What a hub keeps as plain git files is named by its git hash; larger files by their SHA-256. */
const GIT_FILE_BYTES = 10 * 1024 * 1024;
const WEIGHTS = /\.(safetensors|bin|gguf|pt|pth|ckpt|onnx|h5|msgpack|npz|pkl|pickle|joblib|model|zip|tflite|mlmodel)$/i;
/** `ORG/NAME` or `NAME`: what huggingface_hub accepts. */
const REPOSITORY = /^(?![-.])[\w.-]+(?:\/(?![-.])[\w.-]+)?$/;
const MAX_NAME_CHARS = 96;
/** A commit's name has as many hex digits. There is no commit; the digest's first ones name this content, always alike. */
const COMMIT_CHARS = 40;

/**
 * Puts a model into the cache of huggingface_hub: each file once in `blobs/`, a snapshot of links, and last `refs/main`, by
 * which tools find it.
 * Source: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
export async function placeInHubCache(placing: Placing): Promise<PlacedModel> {
  const { folder, name, digest, files, overwrite, place, throwIfCancelled } = placing;
  const repository = join(folder, `models--${name.split('/').join('--')}`);
  const commit = digest.slice(0, COMMIT_CHARS);
  const ref = join(repository, 'refs', 'main');
  const snapshot = join(repository, 'snapshots', commit);
  const main = (await atStorage(ref, 'read', () => ignoreMissing(readFile(ref, 'utf8'))))?.trim();
  if (main !== undefined && main !== commit && !overwrite) {
    const sentence = `${repository} is there, and "main" is another model (${main.slice(0, 8)}). Choose another name with --name, or let it mean this one with --force.`;
    throw new ModelRtcError('refused', sentence, { details: { path: repository } });
  }
  await Promise.all([removeLeft(repository), removeLeft(join(repository, 'blobs'))]);
  const blobs = new Map<string, string>();
  for (const file of files) {
    const blob = join(repository, 'blobs', await blobName(file));
    await place(file, blob);
    blobs.set(file.path, blob);
  }
  const staged = temporaryIn(repository);
  await atStorage(snapshot, 'written', async () => {
    try {
      await makeSnapshot({ staged, snapshot, files, blobs }, place);
      await mkdir(dirname(snapshot), { recursive: true });
      await rename(staged, snapshot).catch(async (thrown: unknown) => {
        if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(errorCode(thrown) ?? '')) throw thrown;
        // An export before this one made it.
        await requireSnapshot({ snapshot, files, blobs }, throwIfCancelled);
      });
      await syncFolder(dirname(snapshot));
    } finally {
      await rm(staged, { recursive: true, force: true });
    }
    await mkdir(dirname(ref), { recursive: true });
  });
  if (main !== commit) await writeFileAtomic(ref, commit);
  return { path: snapshot, leftOut: [], isNew: main !== commit };
}

/** @throws ModelRtcError `bad_argument` */
export function hubName(name: string): string {
  if (isHubName(name)) return name;
  const sentence = `"${name}" cannot be the name of a repository in a Hugging Face cache. Pass one such as ORG/NAME with --name.`;
  throw new ModelRtcError('bad_argument', sentence);
}

export function isHubName(name: string): boolean {
  return REPOSITORY.test(name) && name.length <= MAX_NAME_CHARS && !/--|\.\./.test(name) && !/[.-]$/.test(name);
}

interface Snapshot {
  readonly staged: string;
  readonly snapshot: string;
  readonly files: readonly SourceFile[];
  readonly blobs: ReadonlyMap<string, string>;
}

/** @throws ModelRtcError `refused` when a file of a snapshot is missing, or is not what an export puts there */
async function requireSnapshot(
  { snapshot, files, blobs }: Omit<Snapshot, 'staged'>,
  throwIfCancelled: () => void,
): Promise<void> {
  for (const file of files) {
    const path = join(snapshot, file.path);
    const target = await readlink(path).catch(() => undefined);
    const isLink = target !== undefined && resolve(dirname(path), target) === blobs.get(file.path);
    if (isLink || (await hasBytes(file, path, { throwIfCancelled }))) continue;
    const sentence = `${path} is not what an earlier export put there, and it is left as it is. Remove ${snapshot} and export again.`;
    throw new ModelRtcError('refused', sentence, { details: { path } });
  }
}

async function makeSnapshot({ staged, snapshot, files, blobs }: Snapshot, place: Placing['place']): Promise<void> {
  await mkdir(staged, { recursive: true });
  for (const file of files) {
    const [here, there] = [join(staged, file.path), join(snapshot, file.path)];
    await mkdir(dirname(here), { recursive: true });
    const blob = blobs.get(file.path) ?? '';
    try {
      await symlink(relative(dirname(there), blob), here);
    } catch (thrown) {
      // Without symbolic links (Windows), that library keeps the files themselves in the snapshot.
      if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(errorCode(thrown) ?? '')) throw thrown;
      await place({ ...file, absolutePath: blob }, here);
    }
  }
}

async function blobName({ path, size, sha256, absolutePath }: SourceFile): Promise<string> {
  if (WEIGHTS.test(path) || size > GIT_FILE_BYTES) return sha256;
  const bytes = await atStorage(absolutePath, 'read', () => readFile(absolutePath));
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
