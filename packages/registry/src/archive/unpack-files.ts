import { chmod, lstat, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atStorage, modelFileMode, setFileTime } from '@model-rtc/files';
import { type Manifest, type ManifestFile, modelSize } from '@model-rtc/protocol';
import type { ScannedFile } from '../import/scanned-model.ts';
import { createMeter, type Meter, type ProgressOptions } from '../progress.ts';
import { invalidArchive } from './archive-format.ts';
import type { ArchiveMember } from './read-members.ts';

export interface UnpackOptions extends ProgressOptions {
  /** The folder of the model in the archive. */
  readonly root: string;
}

/**
 * Writes the rest of an archive into an empty folder: exactly the manifest's files, with its sizes, in its order.
 * @returns the files, for hashing: they are not verified yet
 * @throws ModelRtcError `invalid_model` for a member that is anything else
 */
export async function unpackFiles(
  members: AsyncIterator<ArchiveMember>,
  manifest: Manifest,
  folder: string,
  options: UnpackOptions,
): Promise<ScannedFile[]> {
  const meter = createMeter(modelSize(manifest), options);
  const umask = process.umask();
  const unpacked: ScannedFile[] = [];
  for (const file of manifest.files) {
    const member = await requireMember(members, `${options.root}/${file.path}`, file.size);
    const path = join(folder, file.path);
    await atStorage(path, 'written', async () => await mkdir(dirname(path), { recursive: true }));
    await writeFile(path, file, member, meter);
    unpacked.push(await describe(path, file, umask));
  }
  await requireEnd(members);
  return unpacked;
}

/** @throws ModelRtcError `invalid_model` when the next member is not this plain file */
async function requireMember(
  members: AsyncIterator<ArchiveMember>,
  path: string,
  size: number,
): Promise<ArchiveMember> {
  const { done, value: member } = await members.next();
  if (done) throw invalidArchive(`${JSON.stringify(path)} is missing`);
  if (member.path !== path) throw invalidArchive(`${quote(member.path)} is where ${JSON.stringify(path)} belongs`);
  if (member.type !== 'file') throw invalidArchive(`${JSON.stringify(path)} is a ${member.type} and not a plain file`);
  if (member.size === size) return member;
  throw invalidArchive(`${JSON.stringify(path)} has ${member.size} bytes in place of ${size}`);
}

/** Reads on to the end, to find anything appended after the files. */
async function requireEnd(members: AsyncIterator<ArchiveMember>): Promise<void> {
  const { done, value: member } = await members.next();
  if (!done) throw invalidArchive(`${quote(member.path)} is no file of the model`);
}

/** A stranger's path, cut to a length that fits a message. */
export function quote(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}

async function writeFile(
  path: string,
  { size, mtimeMs }: ManifestFile,
  member: ArchiveMember,
  meter: Meter,
): Promise<void> {
  await using file = await atStorage(path, 'created', async () => await open(path, 'wx'));
  let left = size;
  meter.throwIfCancelled();
  for await (const bytes of member.bytes) {
    left -= bytes.length;
    if (left < 0) break;
    await atStorage(path, 'written', async () => await file.writeFile(bytes));
    meter.throwIfCancelled();
    meter.add(bytes.length);
  }
  if (left !== 0) throw invalidArchive(`${quote(member.path)} does not have the bytes that its header says`);
  await atStorage(path, 'written', async () => {
    // An archive of an earlier version has the time in the member's header alone, in seconds.
    await setFileTime(file, mtimeMs ?? member.mtimeMs ?? Date.now());
    await file.sync();
  });
}

/** Sets the mode before reading the time, since nothing touches the file after this. */
async function describe(path: string, file: ManifestFile, umask: number): Promise<ScannedFile> {
  const mode = modelFileMode(umask);
  const { mtimeNs } = await atStorage(path, 'written', async () => {
    await chmod(path, mode);
    return await lstat(path, { bigint: true });
  });
  // Hashing makes the manifest, which keeps the mode that the model came with.
  return { path: file.path, absolutePath: path, size: file.size, mode: file.mode ?? 0o644, mtimeNs };
}
