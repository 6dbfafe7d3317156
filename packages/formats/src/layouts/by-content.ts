import { readModelCard } from '../documents/model-card.ts';
import { baseName } from '../file-names.ts';
import { readKnownFile } from './known-files.ts';
import type { Layout } from './types.ts';
import { toFacts } from './weights.ts';

/** Files whose beginnings are read: a folder of notes may hold thousands. */
const MAX_CANDIDATES = 64;

/** A folder whose model has a name like any other file: a booster in a `.json` or a `.txt`. */
export const byContent: Layout = {
  async recognise(folder) {
    if (folder.weights.length > 0) return undefined;
    const candidates = folder.files.filter(({ path }) => baseName(path) === path).slice(0, MAX_CANDIDATES);
    for (const file of candidates) {
      const known = await readKnownFile(file, folder);
      if (known === undefined) continue;
      const { license, lineage } = await readModelCard(folder);
      return { facts: { ...toFacts(known, file), license, lineage } };
    }
    return undefined;
  },
};
