import { join, relative } from 'node:path';
import { ModelRtcError } from '@model-rtc/protocol';
import type { ImportOptions, ImportResult, Registry } from '@model-rtc/registry';
import { loadSnippet } from '../../src/commands/client/model-info/load-line/load-line.ts';
import type { Check } from './fixture.ts';

/** What the registry does otherwise than a check expects, a sentence each; empty when it does as expected. */
export async function differences(registry: Registry, folder: string, check: Check): Promise<string[]> {
  if (check.command !== undefined) return await ofWatched(registry, join(folder, check.path), folder, check);
  const outcome = await tryImport(registry, join(folder, check.path), check);
  if (check.expect === 'model') {
    return outcome instanceof ModelRtcError
      ? [`refused: ${outcome.message}`]
      : ofModel(outcome, join(folder, check.root ?? ''), check);
  }
  if (!(outcome instanceof ModelRtcError)) return [`imported as ${outcome.suggestedAlias ?? outcome.entry.id}`];
  const { total } = await registry.list({ filters: {}, sort: 'date', limit: 1 });
  return [
    ...differ('exit code', outcome.exitCode, check.exit),
    ...(total === 0 ? [] : [`${total} models are registered`]),
    ...(check.expect === 'refused' ? ofRefusal(outcome, check) : ofList(outcome, folder, check)),
  ];
}

async function tryImport(
  registry: Registry,
  path: string,
  { args = [] }: Check,
): Promise<ImportResult | ModelRtcError> {
  const options: ImportOptions = {
    ...(args.includes('--as-is') ? { asIs: true } : {}),
    ...(args.includes('--model-type') ? { modelType: args[args.indexOf('--model-type') + 1] } : {}),
  };
  try {
    return await registry.importModel(path, options);
  } catch (thrown) {
    return ModelRtcError.from(thrown);
  }
}

function differ(what: string, is: unknown, expected: unknown): string[] {
  if (expected === undefined || JSON.stringify(is) === JSON.stringify(expected)) return [];
  return [`${what}: ${JSON.stringify(is)} and not ${JSON.stringify(expected)}`];
}

function ofModel({ entry, manifest, suggestedAlias, skipped }: ImportResult, root: string, check: Check): string[] {
  const { name, name_pattern: pattern, files, checkpoint, load, base, left_out: leftOut = [] } = check;
  const named = [...skipped.map(({ path }) => path.replace(/\/$/, ''))];
  const isNamed = (path: string) =>
    named.some((left) => path.replace(/\/$/, '') === left || path.startsWith(`${left}/`));
  const line = loadSnippet(
    entry,
    root,
    manifest.files.map(({ path }) => path),
  );
  return [
    ...differ('type', entry.modelType, check.type),
    ...differ('name', suggestedAlias, name),
    ...(pattern === undefined || new RegExp(pattern).test(suggestedAlias ?? '') ? [] : [`name: ${suggestedAlias}`]),
    ...differ(
      'files',
      manifest.files.map(({ path }) => path as string).sort(byBytes),
      files && [...files].sort(byBytes),
    ),
    ...differ('checkpoint', entry.checkpointPath, checkpoint),
    ...(load === undefined || load.some((text) => line.includes(text)) ? [] : [`load line: ${line}`]),
    ...differ('base', entry.lineage?.fineTunedFrom, base?.said),
    ...leftOut.filter((path) => !isNamed(path)).map((path) => `${path} is not named as left out`),
    ...(check.empty_folders ?? []).filter((path) => !isNamed(path)).map((path) => `${path}/ is dropped silently`),
  ];
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** A number counts only by itself, not as a part of a longer one. */
function isSaid(text: string, message: string): boolean {
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const [before, after] = [/^\d/.test(text) ? '(?<![\\d.,])' : '', /\d$/.test(text) ? '(?![\\d])' : ''];
  return new RegExp(`${before}${escaped}${after}`).test(message);
}

function ofRefusal(error: ModelRtcError, { reason = [] }: Check): string[] {
  const message = `${error.message} ${JSON.stringify(error.details ?? {})}`;
  const unsaid = reason.filter((texts) => !texts.some((text) => isSaid(text, message)));
  return unsaid.map((texts) => `the message says nothing of ${texts.join(' or ')}: ${error.message}`);
}

function ofList({ message, details }: ModelRtcError, folder: string, { path, members = [] }: Check): string[] {
  const text = `${message} ${JSON.stringify(details ?? {})}`;
  const isListed = (member: { path: string; name: string }) =>
    text.includes(JSON.stringify(relative(join(folder, path), join(folder, member.path)))) ||
    text.includes(JSON.stringify(member.name));
  return members.filter((member) => !isListed(member)).map((member) => `${member.path} is not listed: ${message}`);
}

/** As a worker takes in what it finds. */
async function ofWatched(registry: Registry, root: string, folder: string, check: Check): Promise<string[]> {
  const { places } = await registry.findPlaces(root);
  const found: unknown[] = [];
  for (const place of places) {
    const taken = await registry
      .takeFound(place, { foundIn: root, source: 'worker-training', name: place.name })
      .catch((thrown: unknown) => ModelRtcError.from(thrown));
    if (taken instanceof ModelRtcError) found.push({ path: place.path, message: taken.message });
    else found.push({ path: relative(folder, place.path), name: taken.entry.alias, type: taken.entry.modelType });
  }
  const inOrder = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort(byBytes);
  return differ('found', inOrder(found), inOrder(check.members ?? []));
}
