/**
 * Joins the many small files that esbuild makes of code that several lazily loaded modules share: Node takes longer to find and
 * link one than to compile it. Files that the same starts of commands load become one, so that no start loads more code than before.
 */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type BuildOptions, type BuildResult, build, type Metafile, type Plugin } from 'esbuild';

/** What esbuild made with `splitting`, not yet written. */
export type Split = BuildResult<{ metafile: true; write: false }>;

/** Sources that are loaded in one process, each an entry or imported lazily. */
export type Start = readonly string[];

/** The files that a file of the bundle is joined with; alone it keeps its name and the names that it exports. */
interface Group {
  readonly file: string;
  readonly members: readonly string[];
}

export interface Joined {
  readonly outputs: Metafile['outputs'];
  /** The file that a file of the split bundle became a part of. */
  readonly fileOf: (path: string) => string;
}

/**
 * @param run - files that Node is told to run by their names, which they keep.
 * @param options - how the joined files are written.
 */
export async function joinChunks(
  split: Split,
  { starts, run }: { readonly starts: readonly Start[]; readonly run: readonly string[] },
  options: BuildOptions,
): Promise<Joined> {
  const texts = new Map(split.outputFiles.map(({ path, text }) => [basename(path), text]));
  const groups = groupsOf(split.metafile, starts, run);
  const entryPoints = Object.fromEntries(
    [...new Set(groups.values())].map(({ file }) => [file.slice(0, -'.js'.length), `${GROUP}:${file}`]),
  );
  const { metafile } = await build({
    ...options,
    entryPoints,
    metafile: true,
    plugins: [joined(split.metafile, texts, groups)],
  });
  return { outputs: metafile.outputs, fileOf: (path) => groups.get(basename(path))?.file ?? '' };
}

/** The output files that these sources load, lazy imports aside. */
export function outputsLoadedWith({ outputs }: Metafile, start: Start): Set<string> {
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: next, kind, external } of outputs[path]?.imports ?? [])
      if (kind === 'import-statement' && external !== true) load(next);
  };
  for (const source of start) {
    const found = Object.keys(outputs).find((path) => outputs[path]?.entryPoint === source);
    if (found === undefined) throw new Error(`${source} is neither an entry nor imported lazily`);
    load(found);
  }
  return loaded;
}

/**
 * The group of each file. What a file imports is loaded wherever the file is, so groups import each other in one direction.
 * Files that no start loads stay as they are.
 */
function groupsOf(metafile: Metafile, starts: readonly Start[], run: readonly string[]): Map<string, Group> {
  const loadedBy = starts.map((start) => outputsLoadedWith(metafile, start));
  const bySignature = new Map<string, string[]>();
  for (const path of Object.keys(metafile.outputs)) {
    const signature = loadedBy.map((loaded) => (loaded.has(path) ? 1 : 0)).join('');
    const key = run.includes(basename(path)) || !signature.includes('1') ? path : signature;
    bySignature.set(key, [...(bySignature.get(key) ?? []), basename(path)]);
  }
  const groups = new Map<string, Group>();
  for (const members of bySignature.values()) {
    const [alone = ''] = members;
    const hash = createHash('sha256').update(members.join()).digest('hex').slice(0, 8);
    const group = { file: members.length === 1 ? alone : `joined-${hash}.js`, members };
    for (const member of members) groups.set(member, group);
  }
  return groups;
}

const GROUP = 'group';
const CHUNK = 'chunk';
const BRIDGE = 'bridge';
const LAZY_IMPORT = /\bimport\("\.\/([\w.-]+\.js)"\)/g;

function joined(metafile: Metafile, texts: ReadonlyMap<string, string>, groups: ReadonlyMap<string, Group>): Plugin {
  const exportsOf = new Map(Object.entries(metafile.outputs).map(([path, { exports }]) => [basename(path), exports]));
  /** Names of exports by which a group's importers reach one of its members. */
  const named = (member: string, names: (name: string, inGroup: string) => string): string =>
    (exportsOf.get(member) ?? []).map((name) => names(name, `${name}_${place(groups, member)}`)).join(', ');
  return {
    name: 'join-chunks',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^group:/ }, ({ path }) => ({ path: path.slice(GROUP.length + 1), namespace: GROUP }));
      onResolve({ filter: /^\.\//, namespace: GROUP }, ({ path }) => ({ path: path.slice(2), namespace: CHUNK }));
      onResolve({ filter: /^\.\/.*\.js$/, namespace: BRIDGE }, ({ path }) => ({ path, external: true }));
      onResolve({ filter: /^\.\/.*\.js$/, namespace: CHUNK }, ({ path, kind, importer }) => {
        const member = path.slice(2);
        const group = groups.get(member);
        if (group === undefined || kind === 'dynamic-import') return { path, external: true };
        if (group === groups.get(importer)) return { path: member, namespace: CHUNK };
        return group.members.length === 1 ? { path, external: true } : { path: member, namespace: BRIDGE };
      });
      onResolve({ filter: /.*/ }, ({ path }) => ({ path, external: true, sideEffects: false }));

      onLoad({ filter: /.*/, namespace: GROUP }, ({ path: file }) => {
        const { members } = [...groups.values()].find((group) => group.file === file) as Group;
        if (members.length === 1) return { contents: `export { ${named(file, (name) => name)} } from "./${file}";` };
        const lines = members.map((member) => {
          const again = named(member, (name, inGroup) => `${name} as ${inGroup}`);
          return `export { ${again} } from "./${member}"; export * as all_${place(groups, member)} from "./${member}";`;
        });
        return { contents: lines.join('\n') };
      });
      onLoad({ filter: /.*/, namespace: BRIDGE }, ({ path: member }) => {
        const again = named(member, (name, inGroup) => `${inGroup} as ${name}`);
        return { contents: `export { ${again} } from "./${groups.get(member)?.file}";` };
      });
      onLoad({ filter: /.*/, namespace: CHUNK }, ({ path: member }) => ({
        contents: texts.get(member)?.replace(LAZY_IMPORT, (whole, to: string) => {
          const group = groups.get(to);
          if (group === undefined || group.members.length === 1) return whole;
          return `import("./${group.file}").then((joined) => joined.all_${place(groups, to)})`;
        }) as string,
      }));
    },
  };
}

function place(groups: ReadonlyMap<string, Group>, member: string): number {
  return groups.get(member)?.members.indexOf(member) ?? 0;
}
