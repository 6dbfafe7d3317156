import { join } from 'node:path';
import type { RegistryEntry } from '@model-rtc/registry';
import type { Context } from '../console/context.ts';
import { formatBytes, formatScalar, formatTime, printable } from '../console/format.ts';

export async function modelInfo(context: Context, ref: string): Promise<void> {
  const registry = await context.registry();
  const { entry, resolvedBy } = await registry.resolve(ref);
  const files = entry.digest === undefined ? [] : (await registry.manifest(entry.digest)).files;
  const check = entry.digest === undefined ? undefined : await registry.check(entry.digest);
  const sections = [
    facts('', generalFacts(entry)),
    facts('Metrics', scalars(entry.metrics)),
    facts('Hyperparameters', scalars(entry.hyperparameters)),
    facts('Versions', scalars(entry.versions)),
    facts(
      'Files',
      files.map((file) => [formatBytes(file.size), file.path]),
    ),
    facts(
      'Problems',
      (check?.problems ?? []).map(({ path, problem }) => [path, problem]),
    ),
    facts('Use it', [
      ['send', `model-rtc client push-model ${entry.alias ?? entry.id} --worker SESSION`],
      ...(entry.checkpointPath === undefined
        ? []
        : [['load', join(entry.localPath, entry.checkpointPath)] as [string, string]]),
    ]),
  ];
  context.output.result({ entry, resolvedBy, files, check }, sections.filter((section) => section !== '').join('\n\n'));
}

type Fact = [string, string | undefined];

function generalFacts(entry: RegistryEntry): Fact[] {
  return [
    ['id', entry.id],
    ['alias', entry.alias],
    ['digest', entry.digest],
    ['type', entry.modelType],
    ['written by', entry.framework],
    ['backbone', entry.backbone],
    ['status', entry.displayStatus],
    ['source', entry.source],
    ['size', `${formatBytes(entry.size)} in ${entry.fileCount} ${entry.fileCount === 1 ? 'file' : 'files'}`],
    ['folder', entry.localPath],
    ['linked to', entry.linked ? entry.originalPath : undefined],
    ['created', formatTime(entry.createdAt)],
    ['completed', formatTime(entry.completedAt)],
    ['imported', formatTime(entry.importedAt)],
    ['downloaded', formatTime(entry.downloadedAt)],
    ['tags', entry.tags.join(', ')],
    ['notes', entry.notes],
    ['fine-tuned from', entry.lineage?.fineTunedFrom],
    ['license', entry.license],
  ];
}

function scalars(values: Readonly<Record<string, string | number | boolean | null>>): Fact[] {
  return Object.entries(values).map(([name, value]) => [name, formatScalar(value)]);
}

/** Named values below a title, aligned; empty when there are none. */
function facts(title: string, all: Fact[]): string {
  const known = all.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== '');
  if (known.length === 0) return '';
  const width = Math.max(...known.map(([name]) => name.length));
  const indent = title === '' ? '' : '  ';
  const lines = known.map(([name, value]) => `${indent}${printable(name).padEnd(width)}  ${printable(value)}`);
  return [...(title === '' ? [] : [title]), ...lines].join('\n');
}
