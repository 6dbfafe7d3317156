import { ModelRtcError } from '@model-rtc/protocol';
import { readFileMetadata } from '../formats.ts';
import type { ReadOptions } from '../types.ts';
import { archiveError, isArchiveFile } from './archive-files.ts';
import { readKnownFile } from './known-files.ts';
import { LAYOUTS } from './layouts.ts';
import { nameInFolder, severalModelsError } from './several-models.ts';
import type { LayoutMatch, ModelFacts, ModelFile, ModelFolder } from './types.ts';
import { weightsFileFacts } from './weights.ts';
import { isWeightsFile, WEIGHTS_EXTENSIONS } from './weights-files.ts';

/** A training run somewhere below the root. */
const NESTED_RUN = /^(.+)\/training_config\.(?:ya?ml|json)$/;

export interface RecogniseOptions {
  /** The user has named the type, so that a broken configuration is no obstacle: the files are taken as they are. */
  readonly typeIsKnown: boolean;
}

/** What else a folder tells. */
export type FolderExtras = Partial<Pick<ModelFolder, 'aside' | 'around'>>;

/** A folder's files as the layouts look at them. */
export function toFolder(
  location: string,
  files: readonly ModelFile[],
  options: ReadOptions,
  { aside = [], around = async () => [] }: FolderExtras = {},
): ModelFolder {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return {
    ...options,
    location,
    files,
    weights: files.filter(({ path }) => isWeightsFile(path)),
    file: (path) => byPath.get(path),
    aside,
    around,
  };
}

/**
 * Finds out which model a folder holds: a training run of sleap-nn or SLEAP, a hub's repository, or weights.
 * @throws ModelRtcError `bad_argument` when it holds no model, or several; `invalid_model` when a configuration is broken;
 * what reading a file throws.
 */
export async function recogniseFolder(folder: ModelFolder, { typeIsKnown }: RecogniseOptions): Promise<LayoutMatch> {
  assertOneModel(folder);
  const match = await findLayout(folder, typeIsKnown);
  const isPart = ({ path }: ModelFile) => match.leaveOut?.(path) === undefined;
  const isWeights = ({ path }: ModelFile) => isWeightsFile(path) || path === match.facts.checkpointPath;
  if (!folder.files.some((file) => isWeights(file) && isPart(file))) throw noModelAt(folder.location);
  return match;
}

/**
 * The facts of a model that is one file.
 * @throws ModelRtcError `bad_argument` when neither its name nor its content shows that it holds weights; what reading
 * it throws.
 */
export async function recogniseFile(file: ModelFile, options: ReadOptions): Promise<ModelFacts> {
  if (!(await isModelFile(file, options))) throw noModelAt(file.location);
  for (const layout of LAYOUTS) {
    const facts = await layout.recogniseFile?.(file, options);
    if (facts !== undefined) return facts;
  }
  return await weightsFileFacts(file, options);
}

async function isModelFile(file: ModelFile, options: ReadOptions): Promise<boolean> {
  if (isWeightsFile(file.path) || (await readFileMetadata(file)) !== undefined) return true;
  return (await readKnownFile(file, options)) !== undefined;
}

/** The error that says that a path leads to no model. */
export function noModelAt(location: string): ModelRtcError {
  if (isArchiveFile(location)) return archiveError(location);
  return new ModelRtcError(
    'bad_argument',
    `There is no model at ${location} that is known by its format. Pass a weights file (.safetensors .gguf .pt .ckpt .onnx .h5 and others) or a folder that contains one, or take what is there as it is with --as-is --model-type NAME.`,
    { details: { path: location, extensions: WEIGHTS_EXTENSIONS } },
  );
}

/** A folder of runs would make one large model that no tool can use. */
function assertOneModel({ location, files }: ModelFolder): void {
  const isTopOfModel = (path: string) => isWeightsFile(path) || path.startsWith('training_config.');
  if (files.some(({ path }) => !path.includes('/') && isTopOfModel(path))) return;
  const runs = files.map(({ path }) => NESTED_RUN.exec(path)?.[1]).filter((run) => run !== undefined);
  if (runs.length === 0) return;
  throw severalModelsError(
    location,
    runs.map((path) => ({ path, name: nameInFolder(location, path) })),
  );
}

async function findLayout(folder: ModelFolder, typeIsKnown: boolean): Promise<LayoutMatch> {
  for (const layout of LAYOUTS) {
    try {
      const match = await layout.recognise(folder);
      if (match !== undefined) return match;
    } catch (error) {
      if (!typeIsKnown || ModelRtcError.from(error).code !== 'invalid_model') throw error;
    }
  }
  const archive = folder.files.find(({ path }) => isArchiveFile(path));
  throw archive === undefined ? noModelAt(folder.location) : archiveError(archive.location);
}
