/**
 * Lets a bundle hold what is used and no more: esbuild counts all that an `index.js` gives on as needed by whoever imports
 * one name from it.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

/** The compiler writes each of these in one form, from the first column on. */
const DECLARATION = /^export (?:async )?(?:const|let|function\*?|class) (\w+)/;
const LIST = /^export \{([^}]*)\}(?: from '([^']+)')?;$/;
const ALL_OF = /^export \* from '([^']+)';$/;
const IMPORT_FROM_PACKAGE = /^import \{([^}]*)\} from '@model-rtc\/([a-z-]+)(\/[a-z]+)?';$/gm;
/** A lazy import: `const { connect } = await import('@model-rtc/client');`. */
const LAZY_IMPORT = /^( *)const \{([^}]*)\} = await import\('@model-rtc\/([a-z-]+)(\/[a-z]+)?'\);$/gm;

/** The file that each exported name comes from. */
type Origins = ReadonlyMap<string, string>;

/** Makes imports from our packages lead to the files where the names are made, which have no effects by being loaded. */
export function directImports(): Plugin {
  const known = new Map<string, Promise<Origins>>();
  const originsOf = (file: string): Promise<Origins> => {
    const found = known.get(file) ?? readOrigins(file, originsOf);
    known.set(file, found);
    return found;
  };
  return {
    name: 'direct-imports',
    setup(build) {
      build.onLoad({ filter: /[/\\]packages[/\\][a-z-]+[/\\]dist[/\\].*\.js$/ }, async ({ path }) => {
        const code = await readFile(path, 'utf8');
        return { contents: await rewrite(code, originsOf), loader: 'js' };
      });
    },
  };
}

async function rewrite(code: string, originsOf: (file: string) => Promise<Origins>): Promise<string> {
  let direct = code;
  const replace = async (statement: string, [names, room, entry]: readonly string[], form: ImportForm) => {
    const origins = await originsOf(await entryFile(room as string, entry ?? ''));
    const imports = listed(names as string).map((name) => {
      const origin = origins.get(name.split(' as ')[0] as string);
      if (origin === undefined) throw new Error(`packages/${room} exports no ${name}`);
      return form(name, JSON.stringify(origin));
    });
    direct = direct.replace(statement, () => imports.join(' '));
  };
  for (const [statement, ...parts] of code.matchAll(IMPORT_FROM_PACKAGE)) {
    await replace(statement, parts, (name, origin) => `import { ${name} } from ${origin};`);
  }
  for (const [statement, , ...parts] of code.matchAll(LAZY_IMPORT)) {
    await replace(statement, parts, (name, origin) => `const { ${name} } = await import(${origin});`);
  }
  return direct;
}

type ImportForm = (name: string, origin: string) => string;

/** The compiled file of a package's entry: of `./core` for `/core`. */
async function entryFile(room: string, entry: string): Promise<string> {
  const { exports } = JSON.parse(await readFile(`packages/${room}/package.json`, 'utf8'));
  return resolve(`packages/${room}`, exports[`.${entry}`].default);
}

/** @throws Error for an export in a form that is not known here */
async function readOrigins(file: string, originsOf: (file: string) => Promise<Origins>): Promise<Origins> {
  const origins = new Map<string, string>();
  const below = (path: string): Promise<Origins> => originsOf(resolve(dirname(file), path));
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    if (!line.startsWith('export ')) continue;
    const [, declared] = DECLARATION.exec(line) ?? [];
    const [, names, from] = LIST.exec(line) ?? [];
    const [, all] = ALL_OF.exec(line) ?? [];
    if (declared !== undefined) origins.set(declared, file);
    else if (all !== undefined) for (const [name, origin] of await below(all)) origins.set(name, origin);
    else if (names !== undefined && !names.includes(' as ')) {
      const there = from === undefined ? undefined : await below(from);
      for (const name of listed(names)) origins.set(name, there?.get(name) ?? file);
    } else throw new Error(`${file} has an export that cannot be followed: ${line}`);
  }
  return origins;
}

function listed(names: string): string[] {
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
