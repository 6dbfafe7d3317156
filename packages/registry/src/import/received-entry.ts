import type { ModelEntry, ModelSource, Scalar } from '@model-rtc/protocol';
import type { EntryDraft } from './place-model.ts';

/** Control characters, and marks that turn the direction of what follows: terminals and editors obey them. */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
/** Notes may have several lines. */
const UNSAFE_IN_NOTES = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * What another machine says of a model, less what is this machine's to say, and fit to be kept: without control characters. A model
 * whose files are here is not in training.
 * @param source - where its files come from: only a static registry itself says from which of its manifests
 */
export function receivedDraft(entry: ModelEntry, source: ModelSource): EntryDraft {
  const {
    id: _,
    digest: __,
    alias: ___,
    size: ____,
    fileCount: _____,
    importedAt: ______,
    downloadedAt: _______,
    codeFiles: ________,
    ...draft
  } = entry;
  const { name, notes, tags, lineage, status, releases, hub, warnings } = draft;
  return {
    ...draft,
    ...cleanTexts(draft),
    status: status === 'training' ? 'completed' : status,
    name: cleanText(name),
    notes: notes?.replace(UNSAFE_IN_NOTES, ' '),
    releases:
      source === 'static-registry'
        ? releases
        : releases?.map(({ group, model, version }) => ({ group, model, version })),
    tags: cleanList(tags),
    warnings: warnings === undefined ? undefined : someOf(cleanList(warnings)),
    hub: hub === undefined ? undefined : { ...hub, endpoint: cleanText(hub.endpoint) },
    lineage: lineage === undefined ? undefined : { ...lineage, ...cleanLineage(lineage) },
  };
}

function cleanList(texts: readonly string[]): string[] {
  return [...new Set(texts.map((text) => cleanText(text)).filter((text) => text !== undefined))];
}

function someOf<Item>(items: Item[]): Item[] | undefined {
  return items.length === 0 ? undefined : items;
}

function cleanTexts(draft: EntryDraft): Partial<EntryDraft> {
  const { framework, backbone, license, runHash, metrics, hyperparameters, versions } = draft;
  return {
    framework: cleanText(framework),
    backbone: cleanText(backbone),
    license: cleanText(license),
    runHash: cleanText(runHash),
    metrics: cleanScalars(metrics),
    hyperparameters: cleanScalars(hyperparameters),
    versions: cleanScalars(versions),
  };
}

function cleanLineage({ fineTunedFrom, parents }: NonNullable<ModelEntry['lineage']>): ModelEntry['lineage'] {
  return {
    fineTunedFrom: cleanText(fineTunedFrom),
    parents: parents?.map((parent) => cleanText(parent) ?? '').filter((parent) => parent !== ''),
  };
}

function cleanScalars(scalars: Record<string, Scalar>): Record<string, Scalar> {
  return Object.fromEntries(
    Object.entries(scalars).map(([name, value]) => [
      name.replace(UNSAFE, ' '),
      typeof value === 'string' ? value.replace(UNSAFE, ' ') : value,
    ]),
  );
}

/** @returns undefined when nothing is left of it */
export function cleanText(text: string | undefined): string | undefined {
  const cleaned = text?.replace(UNSAFE, ' ').trim();
  return cleaned === '' ? undefined : cleaned;
}
