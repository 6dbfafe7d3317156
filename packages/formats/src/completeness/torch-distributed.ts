import { baseName, extensionOf } from '../file-names.ts';
import type { ByteReader } from '../types.ts';
import { folderOf, missing } from './folders.ts';
import type { CheckedFile, CheckedFiles, Flaw, SetCheck } from './types.ts';

/** The list of a checkpoint with 100,000 tensors takes some 30 MB. */
const MAX_METADATA_BYTES = 128 * 1024 * 1024;
const WINDOW_BYTES = 1024 * 1024;
const OVERLAP_BYTES = 512;
/** A name of a file as it stands in the pickle; each is in it at least once. */
const FILE_NAME = /[A-Za-z0-9_.-]{1,200}\.distcp/g;
const MAX_NAMES = 100_000;
/** What an absent rank leaves out; the first ones are enough to know. */
const MAX_NAMED = 20;

/** torch.distributed.checkpoint: `.metadata` says in which `.distcp` file each tensor is. Source: torch/distributed/checkpoint/filesystem.py */
export const torchDistributed: SetCheck = {
  name: 'torch-distributed',
  async check(model) {
    const flaws: Flaw[] = [];
    const parts = new Set(
      model.files.filter(({ path }) => extensionOf(path) === '.distcp').map(({ path }) => folderOf(path)),
    );
    for (const folder of parts) {
      if (model.file(`${folder}.metadata`) === undefined) {
        flaws.push(missing(`${folder}.metadata`, 'without it nobody knows which tensor is where in the .distcp files'));
      }
    }
    for (const file of model.files) {
      if (baseName(file.path) === '.metadata') flaws.push(...(await absentParts(file, model)));
    }
    return flaws;
  },
};

async function absentParts(file: CheckedFile, model: CheckedFiles): Promise<Flaw[]> {
  const folder = folderOf(file.path);
  const names = [...(await file.withReader(namesIn))].sort();
  const absent = names.map((name) => folder + name).filter((path) => model.file(path) === undefined);
  return absent.slice(0, MAX_NAMED).map((path) => missing(path, `${file.path} names it`));
}

async function namesIn(reader: ByteReader): Promise<Set<string>> {
  const names = new Set<string>();
  for (let start = 0; start < Math.min(reader.size, MAX_METADATA_BYTES); start += WINDOW_BYTES) {
    const bytes = await reader.read(start, Math.min(WINDOW_BYTES + OVERLAP_BYTES, reader.size - start));
    for (const [found] of new TextDecoder('latin1').decode(bytes).matchAll(FILE_NAME)) {
      // A letter before the name may be the length that a pickle puts there.
      const name = /__\d+_\d+\.distcp$/.exec(found)?.[0] ?? found;
      if (names.size < MAX_NAMES) names.add(name);
    }
  }
  return names;
}
