import { baseName, extensionOf } from '../file-names.ts';
import { calleeName, entriesOf, isKind, type PickledValue } from '../pickle/values.ts';
import { walkPickle } from '../pickle/walk-pickle.ts';
import type { ByteReader, ReadOptions } from '../types.ts';
import { folderOf, missing } from './folders.ts';
import { bytesText } from './sizes.ts';
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
export const torchDistributed: SetCheck = async (model, options) => {
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
    if (baseName(file.path) !== '.metadata') continue;
    flaws.push(...(await absentParts(file, model)), ...(await cutParts(file, model, options)));
  }
  return flaws;
};

async function absentParts(file: CheckedFile, model: CheckedFiles): Promise<Flaw[]> {
  const folder = folderOf(file.path);
  const names = [...(await file.withReader(namesIn))].sort();
  const absent = names.map((name) => folder + name).filter((path) => model.file(path) === undefined);
  return absent.slice(0, MAX_NAMED).map((path) => missing(path, `${file.path} names it`));
}

const STORAGE_INFO = /\._StorageInfo$/;

/** Parts that end before a tensor that is in them; the pickle says of each tensor where it begins and how long it is. */
async function cutParts(file: CheckedFile, model: CheckedFiles, { budget, signal }: ReadOptions): Promise<Flaw[]> {
  const ends = new Map<string, number>();
  const note = async (value: PickledValue): Promise<void> => {
    const place = placeOf(value);
    if (place !== undefined) ends.set(place.name, Math.max(ends.get(place.name) ?? 0, place.end));
  };
  const walk = await file.withReader((reader) => walkPickle(reader, 0, { budget, signal, afterBuild: note }));
  if (walk.outcome === 'broken' && walk.isCut) {
    return [{ kind: 'cut_off', path: file.path, problem: 'is cut off: its list of tensors goes on' }];
  }
  return [...ends].flatMap(([name, end]): Flaw[] => {
    const path = folderOf(file.path) + name;
    const size = model.file(path)?.size;
    if (size === undefined || size >= end) return [];
    const problem = `is cut off: it has ${bytesText(size)} of the ${bytesText(end)} that ${file.path} names`;
    return [{ kind: 'cut_off', path, problem }];
  });
}

function placeOf(value: PickledValue): { readonly name: string; readonly end: number } | undefined {
  if (!isKind(value, 'call') || !STORAGE_INFO.test(calleeName(value) ?? '')) return undefined;
  const state = entriesOf(value.state);
  const [name, offset, length] = ['relative_path', 'offset', 'length'].map((field) => state?.get(field));
  if (typeof name !== 'string' || typeof offset !== 'number' || typeof length !== 'number') return undefined;
  return { name, end: offset + length };
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
