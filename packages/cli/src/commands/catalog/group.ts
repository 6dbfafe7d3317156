import type { CommandGroup } from '../../command-line/types.ts';
import { exportCatalog } from './export.ts';
import { fetchCatalogModel } from './fetch.ts';
import { importCatalog } from './import.ts';
import { listCatalog } from './list.ts';
import { registerModel } from './register.ts';
import { showCatalogModel } from './show.ts';
import { unregisterModel } from './unregister.ts';

/** What a machine has and plans to have. */
export const catalog: CommandGroup = {
  name: 'catalog',
  describe: 'See and plan what models a machine has: those that are here, and those that are only registered',
  commands: [
    listCatalog,
    showCatalogModel,
    registerModel,
    unregisterModel,
    fetchCatalogModel,
    exportCatalog,
    importCatalog,
  ],
  examples: [
    ['$0 catalog', 'what is here, and what is planned'],
    ['$0 catalog --session lab', 'the same of a worker'],
  ],
};
