import { StructureError } from '../bytes/structure-error.ts';
import { baseName, extensionOf } from '../file-names.ts';
import { readGgufHeader } from '../gguf/gguf.ts';
import { folderOf } from './folders.ts';
import { numberedPart } from './numbered-parts.ts';
import type { CheckedFile, NamingFile } from './types.ts';

/** GGUF files that were split say how many there are, whatever they are called. Source: llama.cpp, tools/gguf-split. */
export const ggufSplit: NamingFile = {
  // Those with numbers in their names are judged by them.
  matches: (path) => isGguf(path) && numberedPart(baseName(path)) === undefined,
  async check(file, { files }) {
    const count = await splitCount(file);
    const there = files.filter(({ path }) => isGguf(path) && folderOf(path) === folderOf(file.path)).length;
    if (count <= there) return [];
    const problem = `is one of ${count} parts, and ${count - there} of them are missing`;
    return [{ kind: 'missing', path: file.path, problem }];
  },
};

function isGguf(path: string): boolean {
  return extensionOf(path) === '.gguf';
}

async function splitCount(file: CheckedFile): Promise<number> {
  try {
    const header = await file.withReader(readGgufHeader);
    const count = header?.metadata.get('split.count');
    return typeof count === 'number' ? count : 1;
  } catch (error) {
    if (error instanceof StructureError) return 1;
    throw error;
  }
}
