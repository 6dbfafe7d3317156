import type { ModelFacts, ModelFolder } from '../layouts/types.ts';
import { parseYaml, readText } from './document.ts';
import { at, toText } from './scalars.ts';

/** Front matter takes some lines; with benchmark results, some hundred kilobytes. */
const MAX_README_BYTES = 512 * 1024;
const MAX_LICENSE_BYTES = 4096;
const MAX_PARENTS = 64;
const FRONT_MATTER = /^---\r?\n([\s\S]*?)\r?\n---(?:\r?\n|$)/;
const LICENSE_FILE = /^(licen[cs]e|copying)(\.(md|txt))?$/i;

const KNOWN_LICENSES: readonly (readonly [RegExp, string])[] = [
  [/apache license,?\s+(version )?2\.0/i, 'apache-2.0'],
  [/gnu affero general public license/i, 'agpl-3.0'],
  [/gnu lesser general public license/i, 'lgpl'],
  [/gnu general public license[\s\S]{0,80}version 3/i, 'gpl-3.0'],
  [/gnu general public license/i, 'gpl'],
  [/mozilla public license,?\s+version 2\.0/i, 'mpl-2.0'],
  [/\bmit license\b|permission is hereby granted, free of charge/i, 'mit'],
  [/neither the name of/i, 'bsd-3-clause'],
  [/redistribution and use in source and binary forms/i, 'bsd-2-clause'],
];

export interface ModelCard {
  readonly license?: string | undefined;
  readonly lineage?: ModelFacts['lineage'] | undefined;
  /** Which library it is for: `sklearn`, `peft`. */
  readonly library?: string | undefined;
}

/** License and lineage from the front matter of README.md; without a license there, from a license file. */
export async function readModelCard(folder: ModelFolder): Promise<ModelCard> {
  const frontMatter = await readFrontMatter(folder);
  return {
    license: licenseOf(frontMatter) ?? (await readLicenseFile(folder)),
    lineage: lineageOf(at(frontMatter, 'base_model')),
    library: toText(at(frontMatter, 'library_name')),
  };
}

async function readFrontMatter(folder: ModelFolder): Promise<unknown> {
  const readme = folder.file('README.md') ?? folder.file('readme.md');
  if (readme === undefined) return undefined;
  const text = FRONT_MATTER.exec(await readText(readme, MAX_README_BYTES))?.[1];
  if (text === undefined) return undefined;
  try {
    return await parseYaml(text);
  } catch {
    // A README is prose: front matter that cannot be parsed counts as missing.
    return undefined;
  }
}

/** For a license that a hub does not know, it writes `license: other` and a `license_name`. */
function licenseOf(frontMatter: unknown): string | undefined {
  const value = at(frontMatter, 'license');
  const license = Array.isArray(value) ? value.filter((item) => typeof item === 'string').join(', ') : value;
  return (license === 'other' ? toText(at(frontMatter, 'license_name')) : undefined) ?? toText(license);
}

async function readLicenseFile(folder: ModelFolder): Promise<string | undefined> {
  const file = folder.files.find(({ path }) => LICENSE_FILE.test(path));
  if (file === undefined) return undefined;
  const text = await readText(file, MAX_LICENSE_BYTES);
  const known = KNOWN_LICENSES.find(([pattern]) => pattern.test(text));
  return (
    known?.[1] ??
    toText(
      text
        .split(/\r?\n/)
        .find((line) => line.trim() !== '')
        ?.slice(0, 120),
    )
  );
}

function lineageOf(base: unknown): ModelFacts['lineage'] {
  const parents = (Array.isArray(base) ? (base as unknown[]) : [base]).map(toText).filter((name) => name !== undefined);
  const [first] = parents;
  if (first === undefined) return undefined;
  return parents.length === 1
    ? { fineTunedFrom: first }
    : { fineTunedFrom: first, parents: parents.slice(0, MAX_PARENTS) };
}
