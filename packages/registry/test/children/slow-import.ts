import { openRegistry } from '../../src/index.ts';
import { plainImportSteps } from '../helpers/models.ts';

// Begins an import by copy and never ends: the second hashing, of the staged copy, hangs.
const [home, path] = process.argv.slice(2) as [string, string];
let passes = 0;
const importSteps: typeof plainImportSteps = {
  ...plainImportSteps,
  async hashFiles(files, options) {
    if (++passes === 2) {
      console.log('copied');
      await new Promise(() => setInterval(() => undefined, 1000));
    }
    return await plainImportSteps.hashFiles(files, options);
  },
};
const registry = await openRegistry({ home, importSteps });
await registry.importModel(path, { copy: true });
