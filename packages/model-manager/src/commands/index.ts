import { info } from './info.ts';
import { key } from './key.ts';
import { list } from './list.ts';
import { path } from './path.ts';
import { prune } from './prune.ts';
import { publish } from './publish.ts';
import { pull } from './pull.ts';
import { remove } from './remove.ts';
import { serve } from './serve.ts';
import { trust } from './trust.ts';
import type { ModelsCommand } from './types.ts';
import { update } from './update.ts';

/** The commands under `models`, in the order of the help. Each is a file of its own. */
export const MODELS_COMMANDS: readonly ModelsCommand[] = [
  list,
  info,
  pull,
  path,
  remove,
  update,
  prune,
  publish,
  key,
  trust,
  serve,
];

export const MODELS_DESCRIBE = 'Install, update and publish models of a static registry';
