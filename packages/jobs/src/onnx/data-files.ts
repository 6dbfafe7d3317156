import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { MAX_DATA_FILES } from './limits.ts';
import { OnnxRunError, type Port } from './types.ts';

const ARRAYS: ReadonlySet<string> = new Set(['.npy']);
const IMAGES: ReadonlySet<string> = new Set(['.png', '.jpg', '.jpeg']);

export interface DataFile {
  readonly path: string;
  /** With `/`, inside of what was given: for messages, and for the names of results. */
  readonly name: string;
  readonly kind: 'array' | 'image';
}

/** What goes into the model together: a file for each of its inputs, by their names. */
export interface Sample {
  /** What its results are called. */
  readonly label: string;
  readonly files: ReadonlyMap<string, DataFile>;
}

/**
 * The data files among those given and in the folders given, sorted by name; what has another extension is left out of folders.
 * @throws OnnxRunError when there is none, there are too many, or a given file is of another kind
 */
export async function findDataFiles(given: readonly string[]): Promise<DataFile[]> {
  const files: DataFile[] = [];
  for (const path of given) {
    if ((await stat(path)).isDirectory()) await walk(path, path, files);
    else files.push(dataFile(path, basename(path)) ?? unknownKind(basename(path)));
  }
  if (files.length === 0) throw new OnnxRunError('The data has no .npy, .png or .jpg file. Pass at least one.');
  return files;
}

async function walk(folder: string, root: string, files: DataFile[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await walk(path, root, files);
    const file = entry.isFile() ? dataFile(path, relative(root, path).split(sep).join('/')) : undefined;
    if (file !== undefined) files.push(file);
    if (files.length > MAX_DATA_FILES)
      throw new OnnxRunError(`The data has more than ${MAX_DATA_FILES} files. Run them in several jobs.`);
  }
}

function dataFile(path: string, name: string): DataFile | undefined {
  const extension = extname(name).toLowerCase();
  if (ARRAYS.has(extension)) return { path, name, kind: 'array' };
  return IMAGES.has(extension) ? { path, name, kind: 'image' } : undefined;
}

function unknownKind(name: string): never {
  throw new OnnxRunError(`${name} is no .npy, .png or .jpg file. Convert it to one of them.`);
}

/**
 * Which file goes into which input. A model with one input runs once for each file. One with several takes files that are
 * called like its inputs: one of each, or one of each in every folder.
 * @throws OnnxRunError when an input has no file, or a file no input
 */
export function matchSamples(files: readonly DataFile[], ports: readonly Port[]): Sample[] {
  const [port] = ports;
  if (port === undefined) return [{ label: 'result', files: new Map() }];
  if (ports.length === 1)
    return withLabels(files.map((file) => ({ label: stem(file.name), files: new Map([[port.name, file]]) })));
  if (files.length === ports.length) return [sampleOf('result', files, ports)];
  const folders = new Map<string, DataFile[]>();
  for (const file of files) folders.set(dirname(file.name), [...(folders.get(dirname(file.name)) ?? []), file]);
  return withLabels([...folders].map(([folder, inside]) => sampleOf(folder, inside, ports)));
}

function sampleOf(label: string, files: readonly DataFile[], ports: readonly Port[]): Sample {
  const found = new Map<string, DataFile>();
  for (const file of files) {
    const port = ports.find(
      ({ name }) => name === basename(stem(file.name)) || fileName(name) === basename(stem(file.name)),
    );
    if (port === undefined || found.has(port.name)) throw inputsError(ports, `${file.name} belongs to none of them`);
    found.set(port.name, file);
  }
  const missing = ports.find(({ name }) => !found.has(name));
  if (missing !== undefined) throw inputsError(ports, `${fileName(missing.name)}.npy is missing`);
  return { label, files: found };
}

function inputsError(ports: readonly Port[], problem: string): OnnxRunError {
  const names = ports.slice(0, 16).map(({ name }) => `${fileName(name)}.npy`);
  const more = ports.length > names.length ? ` and ${ports.length - names.length} more` : '';
  return new OnnxRunError(
    `The model has ${ports.length} inputs, and ${problem}. Pass one file for each, called ${names.join(', ')}${more}; or a folder of folders with these.`,
  );
}

/** The name of an input or output as a file can have it. */
export function fileName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_.-]+/g, '_').replace(/^\.+/, '_');
  return plain === '' ? '_' : plain.slice(0, 120);
}

function stem(name: string): string {
  return name.slice(0, name.length - extname(name).length);
}

/** Two files of one name, as `a.png` and `a.npy`, have results of two names. */
function withLabels(samples: readonly Sample[]): Sample[] {
  const labels = uniqueNames(samples.map(({ label }) => label));
  return samples.map((sample, i) => ({ ...sample, label: labels[i] as string }));
}

/** The same names, made different where they repeat: the second `a` is `a-2`. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    // Compared as file systems do that take `A` and `a` for one name.
    for (let count = 2; taken.has(unique.toLowerCase()); count++) unique = `${name}-${count}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}
