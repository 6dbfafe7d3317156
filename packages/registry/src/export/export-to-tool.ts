import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { atStorage, isInside } from '@model-rtc/files';
import { ModelRtcError, modelSize } from '@model-rtc/protocol';
import { wholeModel } from '../archive/export-model.ts';
import type { RegistryContext } from '../context.ts';
import type { RegistryEntry } from '../entry/types.ts';
import { createMeter } from '../progress.ts';
import { hubName, isHubName, placeInHubCache } from './hf-cache.ts';
import { ollamaName, placeInOllama } from './ollama.ts';
import { placeFile, type SourceFile } from './place-file.ts';
import type { PlacedModel, Placing } from './placing.ts';
import { folderName, placeInFolder } from './plain-folder.ts';
import type { PlacedBytes, ToolExport, ToolExportOptions, ToolStore } from './types.ts';

interface Tool {
  /** The name as the tool has it. @throws ModelRtcError `bad_argument` */
  readonly checkName: (name: string) => string;
  readonly nameOf: (entry: RegistryEntry) => string;
  readonly place: (placing: Placing) => Promise<PlacedModel>;
}

const aliasOf = ({ alias, id }: RegistryEntry): string => alias ?? id;
/** The full name may be one of another tool, such as `llama3.2:1b`. */
const hubNameOf = (entry: RegistryEntry): string =>
  entry.name !== undefined && isHubName(entry.name) ? entry.name : aliasOf(entry);

const TOOLS: Readonly<Record<ToolStore, Tool>> = {
  'hf-cache': { checkName: hubName, nameOf: hubNameOf, place: placeInHubCache },
  ollama: { checkName: ollamaName, nameOf: aliasOf, place: placeInOllama },
  folder: { checkName: folderName, nameOf: aliasOf, place: placeInFolder },
};

/** See `Exports.exportToTool`. */
export async function exportToTool(
  context: RegistryContext,
  ref: string,
  toFolder: string,
  options: ToolExportOptions,
): Promise<ToolExport> {
  const { entry, digest, place: modelPlace, manifest } = await wholeModel(context, ref);
  const { checkName, nameOf, place: placeModel } = TOOLS[options.as];
  const name = checkName(options.name ?? nameOf(entry));
  const folder = resolve(toFolder);
  if (isInside(folder, context.paths.root)) {
    const sentence = `${folder} is in the data folder of model-rtc. Name the other tool's folder.`;
    throw new ModelRtcError('bad_argument', sentence, { details: { path: folder } });
  }
  const files = await Promise.all(
    manifest.files.map(async (file): Promise<SourceFile> => {
      const path = join(modelPlace.path, file.path);
      return { ...file, absolutePath: await atStorage(path, 'read', () => realpath(path)) };
    }),
  );
  const meter = createMeter(modelSize(manifest), options, 'the other tool sees nothing of it');
  const placed: Record<keyof PlacedBytes, number> = { cloned: 0, linked: 0, copied: 0, kept: 0 };
  const result = await placeModel({
    ...{ folder, name, digest, files, type: entry.modelType, overwrite: options.overwrite ?? false },
    throwIfCancelled: () => meter.throwIfCancelled(),
    place: async (file, to) => {
      placed[await placeFile(file, to, meter)] += file.size;
    },
  });
  const { path, leftOut, isNew } = result;
  return { entry, name, path, leftOut, outcome: isNew ? 'exported' : 'already_there', placed };
}
