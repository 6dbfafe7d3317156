import { StructureError } from '../bytes/structure-error.ts';
import { baseName, extensionOf } from '../file-names.ts';
import { readGgufHeader } from '../gguf/gguf.ts';
import { folderOf } from './folders.ts';
import { numberedPart } from './numbered-parts.ts';
import type { CheckedFile, Flaw, SetCheck } from './types.ts';

/** GGUF files that were split say how many there are, whatever they are called. Source: llama.cpp, tools/gguf-split. */
export const ggufSplit: SetCheck = {
  name: 'gguf-split',
  async check({ files }) {
    const ggufs = files.filter(({ path }) => extensionOf(path) === '.gguf');
    const flaws: Flaw[] = [];
    for (const file of ggufs) {
      // Those with numbers in their names are judged by them.
      if (numberedPart(baseName(file.path)) !== undefined) continue;
      const count = await splitCount(file);
      const there = ggufs.filter(({ path }) => folderOf(path) === folderOf(file.path)).length;
      if (count <= there) continue;
      const problem = `is one of ${count} parts, and ${count - there} of them are missing`;
      flaws.push({ kind: 'missing', path: file.path, problem });
    }
    return flaws;
  },
};

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
