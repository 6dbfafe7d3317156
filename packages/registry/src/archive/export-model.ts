import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mapLimit, requireRoom } from '@model-rtc/files';
import { type Digest, type ManifestFile, ModelRtcError, modelSize } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { toModelEntry } from '../entry/registry-entry.ts';
import { resolveRef } from '../entry/resolve.ts';
import type { RegistryEntry } from '../entry/types.ts';
import { checkFiles } from '../files/check-files.ts';
import { openModelFiles } from '../files/model-files.ts';
import { readRegistered } from '../files/registered-model.ts';
import type { ModelFiles, RegisteredModel } from '../files/types.ts';
import { createMeter, type Meter } from '../progress.ts';
import { archiveBytes, encodeEntry, encodeManifest, notePaths } from './archive-format.ts';
import { chooseOutput, type OutputPlace, writeOutput } from './output-file.ts';
import type { ExportedModel, ExportOptions } from './types.ts';
import { type NewMember, writeMembers } from './write-members.ts';

const PIECE_BYTES = 1024 * 1024;
const LOOKS_AT_ONCE = 32;
/** The last second that a tar header has room for. */
const LAST_SECOND = 0o77777777777;

/** A model about to be exported. */
interface Exported extends RegisteredModel {
  readonly entry: RegistryEntry;
  readonly digest: Digest;
}

/** Writes a registered model as one tar file, and verifies each byte on the way. */
export async function exportModel(
  context: RegistryContext,
  ref: string,
  toPath: string,
  options: ExportOptions = {},
): Promise<ExportedModel> {
  const { overwrite = false } = options;
  const model = await wholeModel(context, ref);
  const output = await chooseOutput(toPath, overwrite, context.paths);
  await refuseOwnFile(output, model);
  const members = [...noteMembers(model)];
  const sizes = [...members, ...model.manifest.files].map(({ size }) => size);
  const place = { folder: dirname(output.path), bytes: archiveBytes(sizes) };
  await requireRoom({ ...place, what: 'The archive', otherwise: 'write it to another disk' });
  await using files = openModelFiles(model.place, model.stats);
  members.push(...fileMembers(model, files, options));
  const bytes = await writeOutput(output.path, overwrite, async (file) => await writeMembers(file, members));
  return { entry: model.entry, path: output.path, bytes };
}

/**
 * A registered model whose files are as they were when they were hashed.
 * @throws ModelRtcError `not_found_locally`, `ambiguous`; `refused` while it is trained; `source_changed`
 */
export async function wholeModel(context: RegistryContext, ref: string): Promise<Exported> {
  const { stored } = await resolveRef(await context.index.read(), ref, context.paths.models);
  const { id, digest } = stored;
  if (digest === undefined) {
    const sentence = `The training of ${id} is not done (${stored.status}), so there is no model to export yet. Export it when the training is done.`;
    throw new ModelRtcError('refused', sentence, { details: { id, status: stored.status } });
  }
  const registered = await readRegistered(context, stored);
  const { problems } = await checkFiles(registered.place, registered.stats);
  const [first] = problems;
  if (first !== undefined) {
    const sentence = `Model ${id} is not whole: ${first.path} (${first.problem}). Repair it first: model-rtc client repair-model ${id}.`;
    throw new ModelRtcError('source_changed', sentence, { details: { id, problems: problems.slice(0, 10) } });
  }
  return { ...registered, digest, entry: await context.show(stored) };
}

/** The archive must not take the place of a file that it is made from. */
async function refuseOwnFile({ path, existing }: OutputPlace, { place, stats }: Exported): Promise<void> {
  if (existing === undefined) return;
  await mapLimit(stats, LOOKS_AT_ONCE, async (file) => {
    const found = await stat(join(place.path, file.path));
    if (found.ino !== existing.ino || found.dev !== existing.dev) return;
    const sentence = `${path} is a file of the model itself. Choose another name for the archive.`;
    throw new ModelRtcError('bad_argument', sentence, { details: { path } });
  });
}

function* noteMembers({ entry, manifest }: Exported): Iterable<NewMember> {
  const paths = notePaths(rootOf(entry));
  const mtime = new Date(entry.completedAt ?? entry.importedAt ?? entry.downloadedAt ?? entry.createdAt ?? 0);
  const note = (path: string, content: Buffer): NewMember => ({
    path,
    size: content.length,
    mode: 0o644,
    mtime,
    bytes: async function* () {
      yield content;
    },
  });
  yield note(paths.manifest, encodeManifest(manifest));
  yield note(paths.entry, encodeEntry(toModelEntry(entry)));
}

/** The name of the folder in the archive. */
function rootOf({ id, alias }: RegistryEntry): string {
  return alias ?? id;
}

function* fileMembers(
  { entry, manifest, stats }: Exported,
  files: ModelFiles,
  options: ExportOptions,
): Iterable<NewMember> {
  const meter = createMeter(modelSize(manifest), options, 'no archive was written');
  const times = new Map(stats.map(({ path, mtimeNs }) => [path, mtimeNs]));
  let start = 0;
  for (const file of manifest.files) {
    const offset = start;
    yield {
      path: `${rootOf(entry)}/${file.path}`,
      size: file.size,
      // Whoever unpacks it with tar gets no programs either.
      mode: 0o644,
      mtime: tarTime(times.get(file.path)),
      bytes: () => verifiedBytes(files, offset, file, meter),
    };
    start += file.size;
  }
}

function tarTime(mtimeNs: bigint | undefined): Date {
  const seconds = Number((mtimeNs ?? 0n) / 1_000_000_000n);
  return new Date(Math.min(Math.max(seconds, 0), LAST_SECOND) * 1000);
}

/** Finds a damaged file here, before someone carries the archive to another machine. */
async function* verifiedBytes(
  files: ModelFiles,
  offset: number,
  { path, size, sha256 }: ManifestFile,
  meter: Meter,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  meter.throwIfCancelled();
  for (let done = 0; done < size; ) {
    // Not reused, since the archive's writer still holds the last ones.
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, size - done));
    await files.read(offset + done, piece);
    hash.update(piece);
    meter.throwIfCancelled();
    meter.add(piece.length);
    done += piece.length;
    yield piece;
  }
  if (hash.digest('hex') === sha256) return;
  const sentence = `${path} is damaged: its bytes are not the registered ones. Repair the model first: model-rtc client repair-model.`;
  throw new ModelRtcError('verification_failed', sentence, { details: { path } });
}
