import type { ModelEntry } from '@model-rtc/protocol';
import { formatBytes } from '@model-rtc/protocol';
import { formatScalar, formatTime } from '../../../console/format.ts';
import { codeFileFacts } from '../../code-files.ts';
import { statusText } from '../../model-list.ts';
import { isPathOfMachine } from './base-model.ts';
import { useCommands } from './next-commands.ts';
import type { ModelFacts } from './types.ts';

type Fact = readonly [name: string, value: string | undefined];

/**
 * A model as people read it: the lines of each section.
 * @param session - how the commands to use it name the worker
 */
export function modelSections(facts: ModelFacts, session: string): string[][] {
  const { entry, files = [], check } = facts;
  return [
    section('', generalFacts(facts)),
    section('Where it is', placeFacts(facts)),
    section('Metrics', scalars(entry.metrics)),
    section('Hyperparameters', scalars(entry.hyperparameters)),
    section('Versions', scalars(entry.versions)),
    section('Lineage', lineageFacts(facts)),
    section(
      'Files',
      files.map((file) => [formatBytes(file.size), file.path]),
    ),
    section('Files that run code', codeFileFacts(entry)),
    section(
      'Not whole',
      (entry.incomplete ?? []).map(({ path, problem }) => [path, problem]),
    ),
    section(validatedTitle(facts), validationFacts(facts)),
    section(
      'Warnings',
      (entry.warnings ?? []).map((warning) => ['-', warning]),
    ),
    section(
      'Problems',
      (check?.problems ?? []).map(({ path, problem }) => [path === '' ? '.' : path, problem]),
    ),
    section('Use it', useCommands(facts, session)),
  ].filter((lines) => lines.length > 0);
}

function validatedTitle({ here }: ModelFacts): string {
  const { at, quick } = here?.validation ?? {};
  return `Validated ${formatTime(at) ?? ''}${quick === true ? ' (quick)' : ''}`;
}

/** What the last validation found on this machine. */
function validationFacts({ here }: ModelFacts): Fact[] {
  return (here?.validation?.results ?? []).map(({ check, outcome, detail }) => {
    return [check, detail === undefined ? outcome : `${outcome}: ${detail}`];
  });
}

const SHOWN_COMMIT_CHARS = 12;

function generalFacts({ entry, here }: ModelFacts): Fact[] {
  return [
    ['id', entry.id],
    ['alias', entry.alias],
    ['name', entry.name],
    ['digest', entry.digest],
    ['type', entry.modelType],
    ['written by', entry.framework],
    ['backbone', entry.backbone],
    ['status', statusText(entry)],
    ['source', entry.source],
    ['from', hubText(entry)],
    ['parameters', entry.parameters?.toLocaleString('en-US')],
    ['size', `${formatBytes(entry.size)} in ${entry.fileCount} ${entry.fileCount === 1 ? 'file' : 'files'}`],
    ['runs code', runsCode(entry)],
    ['parts', componentsText(entry)],
    ['created', formatTime(entry.createdAt)],
    ['completed', formatTime(entry.completedAt)],
    ['imported', formatTime(entry.importedAt)],
    ['downloaded', formatTime(entry.downloadedAt)],
    ['formerly', [...new Set((here?.formerAliases ?? []).map(({ alias }) => alias))].join(', ')],
    ['tags', entry.tags.join(', ')],
    ['notes', entry.notes],
    ['license', entry.license],
    ['accepted', acceptedText(here)],
    ['warnings', entry.warnings?.join('\n')],
  ];
}

/** `Qwen/Qwen2.5-0.5B at 060db6499f32 (main)` */
function hubText({ hub }: ModelEntry): string | undefined {
  if (hub === undefined) return undefined;
  const { repo, commit, revision, endpoint } = hub;
  const asked = revision === undefined || revision === commit ? '' : ` (${revision})`;
  return `${repo} at ${commit.slice(0, SHOWN_COMMIT_CHARS)}${asked}${endpoint === undefined ? '' : `, of ${endpoint}`}`;
}

function acceptedText(here: ModelFacts['here']): string | undefined {
  const accepted = here?.licenseAccepted;
  return accepted === undefined ? undefined : `${accepted.license}, ${formatTime(accepted.at)}`;
}

function runsCode({ codeFiles }: ModelEntry): string {
  if (codeFiles === undefined) return 'unknown: nobody has inspected its files';
  if (codeFiles.length === 0) return 'no';
  if (codeFiles.every(({ unexamined }) => unexamined)) return 'perhaps: it could not be examined';
  return `when ${codeFiles.length === 1 ? 'one of its files is' : `${codeFiles.length} of its files are`} loaded`;
}

/** Such as `weights present, config present, tokenizer missing`. */
function componentsText({ components = {} }: ModelEntry): string {
  return Object.entries(components)
    .map(([name, state]) => `${name} ${state}`)
    .join(', ');
}

/** This machine first; then each worker, with the model's alias there and when it was last seen. */
function placeFacts({ here, availability, from }: ModelFacts): Fact[] {
  const isNews = from !== undefined && availability.every(({ key }) => key !== from.key);
  return [
    ['here', here?.localPath],
    ['linked to', here?.linked ? here.originalPath : undefined],
    ['found in', here?.foundIn],
    ...(isNews ? [[from.name, 'has it now'] as const] : []),
    ...availability.map(({ name, alias, seenAt }): Fact => {
      const called = alias === undefined || alias === here?.alias ? '' : `, as ${alias}`;
      return [name, `last seen ${formatTime(seenAt)}${called}`];
    }),
  ];
}

function lineageFacts({ entry, lineage }: ModelFacts): Fact[] {
  const called = ({ id, alias }: ModelEntry): string => (alias === undefined ? id : `${alias} (${id})`);
  const ancestors = lineage?.ancestors.map(({ name, entry: parent }) =>
    parent === undefined ? `${name} (not on this machine)` : called(parent),
  );
  return [
    ['fine-tuned from', baseText(entry.lineage?.fineTunedFrom)],
    ['made from', (ancestors ?? entry.lineage?.parents ?? []).join(' < ')],
    ['converted from', convertedText(entry)],
    ['led to', lineage?.children.map(called).join(', ')],
  ];
}

/** As many characters of a digest name a model in commands. */
const DIGEST_CHARS = 12;

function convertedText({ lineage, hub }: ModelEntry): string | undefined {
  if (lineage?.convertedFrom === undefined) return undefined;
  const from = hub === undefined ? '' : ` of ${hub.repo} at ${hub.commit.slice(0, DIGEST_CHARS)}`;
  return `torch files${from} (digest ${lineage.convertedFrom.slice(0, DIGEST_CHARS)})`;
}

function baseText(base: string | undefined): string | undefined {
  return base !== undefined && isPathOfMachine(base) ? `${base} (a path on the machine that trained it)` : base;
}

function scalars(values: Readonly<Record<string, string | number | boolean | null>>): Fact[] {
  return Object.entries(values).map(([name, value]) => [name, formatScalar(value)]);
}

/** Named values below a title, aligned; empty when there are none. A value of several lines goes on below its first. */
function section(title: string, all: readonly Fact[]): string[] {
  const known = all.filter((fact): fact is readonly [string, string] => fact[1] !== undefined && fact[1] !== '');
  if (known.length === 0) return [];
  const width = Math.max(...known.map(([name]) => name.length));
  const indent = title === '' ? '' : '  ';
  const lines = known.flatMap(([name, value]) => {
    const [first = '', ...rest] = value.trimEnd().split('\n');
    const below = `${indent}${' '.repeat(width)}  `;
    return [`${indent}${name.padEnd(width)}  ${first}`, ...rest.map((line) => `${below}${line}`.trimEnd())];
  });
  return title === '' ? lines : [title, ...lines];
}
