import { isOpenvinoXml } from '../completeness/openvino.ts';
import type { CheckedFile } from '../completeness/types.ts';
import { baseName, extensionOf } from '../file-names.ts';
import { factsOf } from './facts.ts';
import type { Layout, ModelFile, ModelFolder } from './types.ts';

/** What tools export or save a model to, where one file stands for the others: each with how that file is found. */
export const exported: Layout = {
  async recognise(folder) {
    for (const { framework, modelType, find } of KINDS) {
      const checkpoint = await find(folder);
      if (checkpoint !== undefined) return { facts: factsOf(checkpoint, { modelType, framework }) };
    }
    return undefined;
  },
};

interface Kind {
  readonly framework: string;
  readonly modelType: string;
  find(folder: ModelFolder): Promise<ModelFile | undefined> | ModelFile | undefined;
}

const DATA = /\.data-\d{5}-of-\d{5}$/;

const KINDS: readonly Kind[] = [
  { framework: 'saved-model', modelType: 'tensorflow', find: ({ file }) => file('saved_model.pb') },
  { framework: 'tensorflow', modelType: 'tensorflow', find: findTensorflow },
  { framework: 'openvino', modelType: 'openvino', find: findOpenvino },
];

/** The last of its checkpoints by number. */
function findTensorflow({ files }: ModelFolder): ModelFile | undefined {
  const hasData = files.some(({ path }) => DATA.test(path));
  const indexes = files.filter(({ path }) => isTop(path) && extensionOf(path) === '.index');
  const stepOf = (path: string) => Number(/(\d+)\.index$/.exec(path)?.[1] ?? -1);
  const hasList = files.some(({ path }) => path === 'checkpoint' || path.endsWith('.meta'));
  if (!hasData && !hasList) return undefined;
  return indexes.sort((a, b) => stepOf(b.path) - stepOf(a.path))[0];
}

async function findOpenvino({ files }: ModelFolder): Promise<ModelFile | undefined> {
  for (const file of files) {
    if (isTop(file.path) && extensionOf(file.path) === '.xml' && (await isOpenvinoXml(toChecked(file)))) return file;
  }
  return undefined;
}

function isTop(path: string): boolean {
  return baseName(path) === path;
}

/** A file of a model as the checks for completeness read it. */
export function toChecked(file: ModelFile): CheckedFile {
  return { path: file.path, size: file.size, withReader: async (work) => await work(file) };
}
