import { at, isObject } from '../documents/scalars.ts';
import { baseName } from '../file-names.ts';
import { besideFile, folderOf, missing } from './folders.ts';
import { readJson } from './read-json.ts';
import type { CheckedFile, CheckedFiles, Flaw, NamingFile } from './types.ts';

const MAX_MANIFEST_BYTES = 1024 * 1024;
/** The program of a large model takes some 10 MB; the files that it reads are named throughout. */
const MAX_PROGRAM_BYTES = 64 * 1024 * 1024;
const WEIGHTS_NAME = /@model_path\/([A-Za-z0-9_./-]{1,200})/g;

/** Core ML: a package lists its items, and a compiled model's program names its weights. Source: coremltools, ModelPackage and MIL */
export const coremlParts: readonly NamingFile[] = [
  { matches: (path) => baseName(path) === 'Manifest.json', check: checkItems },
  { matches: (path) => baseName(path) === 'model.mil', check: checkProgram },
];

async function checkItems(file: CheckedFile, model: CheckedFiles): Promise<Flaw[]> {
  const manifest = await readJson(file, MAX_MANIFEST_BYTES);
  const items = at(manifest, 'itemInfoEntries');
  if (!isObject(items) || at(manifest, 'rootModelIdentifier') === undefined) return [];
  const paths = Object.values(items).map((item) => at(item, 'path'));
  return paths.flatMap((path): Flaw[] => {
    const inside = typeof path === 'string' ? besideFile(file.path, `Data/${path}`) : undefined;
    if (inside === undefined || model.file(inside) !== undefined || model.hasFolder(inside)) return [];
    return [missing(inside, `${file.path} lists it`)];
  });
}

async function checkProgram(file: CheckedFile, model: CheckedFiles): Promise<Flaw[]> {
  const isCompiled = model.file(`${folderOf(file.path)}coremldata.bin`) !== undefined;
  if (!isCompiled || file.size > MAX_PROGRAM_BYTES) return [];
  const bytes = await file.withReader(async (reader) => await reader.read(0, reader.size));
  const names = [...new TextDecoder('latin1').decode(bytes).matchAll(WEIGHTS_NAME)].map(([, name]) => name as string);
  return [...new Set(names)].flatMap((name): Flaw[] => {
    const path = besideFile(file.path, name);
    return path === undefined || model.file(path) !== undefined ? [] : [missing(path, `${file.path} reads it`)];
  });
}
