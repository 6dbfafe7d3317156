import type { FoundOnHub, LicenseToAccept, NameDecision, TakenFromHub, TakeOptions } from '@model-rtc/client';
import type { Hub } from '@model-rtc/hub';
import { type Alias, formatBytes, ModelRtcError, systemClock } from '@model-rtc/protocol';
import type { NamePair, TakenNames, ValidatedModel } from '@model-rtc/registry';
import { agentLimits } from '../../../console/agent-limits.ts';
import { askSecret, type Choice, choose, confirm } from '../../../console/ask.ts';
import { fetchAudited } from '../../../console/audited-pull.ts';
import type { Context } from '../../../console/context.ts';
import {
  formatCount,
  formatDuration,
  formatModel,
  formatRate,
  formatShare,
  formatSome,
  printable,
} from '../../../console/format.ts';
import { hubFamilies } from '../../../console/settings.ts';
import { storageCap } from '../../../console/storage-cap.ts';
import { packageVersion } from '../../../package.ts';
import { beginTransfer, resultData, type TransferOptions } from '../transfer.ts';
import { forwardPassHere } from '../validate/run.ts';
import { countsText, renderValidated } from '../validate/text.ts';
import { convertedText } from './converted.ts';
import { refuseLocalOptions } from './hub-options.ts';
import { leftOutText } from './left-out.ts';
import type { GivenImportOptions } from './options.ts';

const MAX_NAMED = 3;

/** Where the files come from besides the hub, and how fast. */
export interface HubSources extends Partial<Pick<TransferOptions, 'limit' | 'nice' | 'compress'>> {
  readonly workers?: TakeOptions['workers'];
  /** The sessions of the workers as a person wrote them. */
  readonly sessions?: Iterable<string | undefined> | undefined;
}

export async function importFromHub(
  context: Context,
  options: GivenImportOptions,
  sources: HubSources = {},
): Promise<void> {
  refuseLocalOptions(options);
  const taken = await takeAsked(context, options, sources);
  await addWhatWasSaid(context, taken, options);
  report(context, taken);
}

/** What a person says of a model that is taken from a hub. */
export type HubOptions = Pick<
  GivenImportOptions,
  | 'path'
  | 'revision'
  | 'tokenFile'
  | 'include'
  | 'exclude'
  | 'safeOnly'
  | 'convert'
  | 'archAny'
  | 'acceptLicense'
  | 'ifExists'
  | 'yes'
  | 'name'
  | 'alias'
> & { readonly priority?: GivenImportOptions['priority'] };

/** Takes a model from a hub, and asks what has to be asked. */
export async function takeAsked(
  context: Context,
  options: HubOptions,
  { workers = [], sessions = [], ...speed }: HubSources = {},
): Promise<TakenFromHub> {
  const { openHub, parseHubReference } = await import('@model-rtc/hub');
  const { takeFromHub, WELL_KNOWN_FAMILIES } = await import('@model-rtc/client');
  const asked = options.yes ? { ...context, interactive: false } : context;
  const reference = withRevision(parseHubReference(options.path), options.revision);
  const access = { env: context.runtime.env, tokenFile: options.tokenFile, onBusy: sayBusy(context) };
  const controls = await beginTransfer(context, {
    ...{ dryRun: false, limit: undefined, nice: false, compress: 'off' },
    ...speed,
    priority: options.priority,
  });
  const registry = await context.registry();
  const limits = await agentLimits(context.home);
  const storage = await storageCap(context);
  const names = await namesOf(options);
  const families = options.archAny ? undefined : await hubFamilies(context.home, WELL_KNOWN_FAMILIES);
  const machine = { registry, limits, storage, log: context.log, clock: systemClock, random: Math.random };
  const about = { ref: options.path, by: 'pull-model', from: sessions };
  return await fetchAudited(context, about, controls.onProgress, (onProgress) =>
    takeFromHub(machine, {
      ...{ reference, hub: openHub(access), ...names, families },
      ...{ include: options.include, exclude: options.exclude, safeOnly: options.safeOnly, convert: options.convert },
      ...{ ...controls, onProgress, workers },
      validate: { version: packageVersion(), forward: forwardPassHere(context, registry) },
      acceptLicense: options.acceptLicense || ((license) => askLicense(asked, license)),
      ifTaken: decisionOf(options) ?? ((names, wanted) => askName(asked, reference.repo, names, wanted)),
      askToken: asked.interactive
        ? async (refusal): Promise<Hub> => openHub({ ...access, token: await askToken(asked, refusal) })
        : undefined,
      chooseWeights: asked.interactive ? (several) => askWeights(asked, several) : undefined,
      onFound: (found) => context.output.note(foundText(found)),
    }),
  );
}

/** Tells a person why nothing happens. */
export function sayBusy({ output }: Context): (waitMs: number) => void {
  return (waitMs) => {
    if (waitMs >= 1000) output.note(`The hub is busy. Asking again in ${formatDuration(waitMs)}.`);
  };
}

function withRevision<R extends { readonly revision?: string | undefined }>(
  reference: R,
  revision: string | undefined,
): R {
  if (revision === undefined) return reference;
  if (reference.revision === undefined || reference.revision === revision) return { ...reference, revision };
  throw new ModelRtcError('bad_argument', 'Pass the revision once: after @, or with --revision.');
}

async function namesOf({ name, alias }: HubOptions): Promise<Pick<TakeOptions, 'name' | 'alias'>> {
  const { parseAlias } = await import('@model-rtc/protocol');
  const checked: Alias | undefined = alias === undefined ? undefined : parseAlias(alias);
  return { name, alias: checked };
}

/** --yes takes nothing from another model. */
function decisionOf({ ifExists, yes }: HubOptions): NameDecision | undefined {
  return ifExists === undefined || ifExists === 'skip' ? (yes ? 'rename' : undefined) : ifExists;
}

async function askLicense(context: Context, license: LicenseToAccept): Promise<boolean> {
  const { repo, text, page } = license;
  const question =
    text === undefined
      ? `${printable(repo)} names no license. Find out at ${printable(page)} whether you may use it. Do you want to go on?`
      : `${printable(repo)} has the license ${printable(text)}. Read it at ${printable(page)}. Do you accept it?`;
  return await confirm(context, { text: question, flag: '--accept-license' });
}

async function askName(
  context: Context,
  repo: string,
  { owners, free }: TakenNames,
  wanted: NamePair,
): Promise<NameDecision> {
  const older = owners.some(({ hub }) => hub?.repo === repo) ? ', which is of the same repository,' : '';
  const who = `${formatSome(owners.map(formatModel), MAX_NAMED)}${older}`;
  const text = `"${printable(wanted.name)}" is what ${who} ${owners.length === 1 ? 'is' : 'are'} called already.`;
  if (!context.interactive) {
    const sentence = `${text} Cannot ask without a terminal. Pass --if-exists overwrite, rename or cancel, or another --name.`;
    throw new ModelRtcError('bad_argument', sentence, { details: { flag: '--if-exists', ...wanted, free } });
  }
  const choices: Choice<NameDecision>[] = [
    { value: 'rename', label: `Call the new model "${printable(free.name)}"` },
    {
      value: 'overwrite',
      label: `Call the new model "${printable(wanted.name)}"; the other one keeps its files and loses the name`,
    },
    { value: 'cancel', label: 'Fetch nothing' },
  ];
  const decision = await choose(context, { text: `${text} What should happen?`, flag: '--if-exists' }, choices);
  if (decision === 'cancel') throw new ModelRtcError('cancelled', 'Cancelled; nothing was fetched.');
  return decision;
}

async function askToken(context: Context, refusal: ModelRtcError): Promise<string> {
  const text = `${printable(refusal.message)} Access token, which is not stored?`;
  return await askSecret(context, { text, flag: '--token-file FILE' });
}

/** One of several sets of weights, as a pattern that names it alone. */
async function askWeights(context: Context, { details }: ModelRtcError): Promise<readonly string[]> {
  const models = (details?.models ?? []) as readonly { readonly path: string; readonly size: number }[];
  const choices = models.map(({ path, size }) => ({
    value: path,
    label: `${printable(path)}  (${formatBytes(size)})`,
  }));
  const text = `${printable(String(details?.repo))} holds ${models.length} models. Which one?`;
  const path = await choose(context, { text, flag: '--include GLOB' }, choices);
  return [path.replace(/[\\*?[\]{}()!+@]/g, '\\$&').replace(/-\d{5}-of-\d{5}(?=\.gguf$)/, '*')];
}

/** `Qwen/Qwen2.5-0.5B at 060db64: qwen2, apache-2.0, 8 files. Needs 988 MB of disk; 12 GB are free.` */
function foundText({ model, family, files, totalBytes, freeBytes }: FoundOnHub): string {
  const { repo, commit, license, gated } = model;
  const facts = [
    family ?? 'of no known family',
    license?.name ?? license?.id ?? 'no license named',
    ...(gated === false ? [] : ['gated']),
    formatCount(files.length, 'file'),
  ];
  const room = Number.isFinite(freeBytes) ? `; ${formatBytes(freeBytes)} are free` : '';
  return `${printable(repo)} at ${commit.slice(0, 7)}: ${facts.map(printable).join(', ')}. Needs ${formatBytes(totalBytes)} of disk${room}.`;
}

/** Tags and notes of a person. */
async function addWhatWasSaid(
  context: Context,
  { entry }: TakenFromHub,
  { tag: addTags = [], notes }: GivenImportOptions,
): Promise<void> {
  if (addTags.length === 0 && notes === undefined) return;
  const registry = await context.registry();
  await registry.update(entry.id, { addTags, notes });
}

function report(
  { output }: Context,
  { entry, outcome, leftOut, renamedFrom, converted, validated, report }: TakenFromHub,
): void {
  const left = leftOutText(leftOut);
  if (left !== '') output.note(left);
  const conversion = convertedText({ entry, converted }, 'the fetched file is gone');
  if (conversion !== '') output.note(conversion);
  if (validated !== undefined) output.note(validatedText(validated));
  if (renamedFrom.length > 0) output.note(`The name was that of ${formatSome(renamedFrom, MAX_NAMED)} until now.`);
  const text =
    outcome === 'imported' && report !== undefined
      ? `Imported ${nameText(entry)}: ${entry.modelType}, ${formatCount(entry.fileCount, 'file')}; ${fetchedText(report)}`
      : `Already here as ${nameText(entry)}: ${printable(entry.hub?.repo ?? '')} at ${entry.hub?.commit.slice(0, 7) ?? ''}`;
  const data = {
    outcome,
    entry,
    skipped: leftOut,
    renamedFrom,
    converted,
    valid: validated?.isValid,
    results: validated?.results,
    transfer: report && resultData(report),
  };
  output.result(data, `${text}\n  ${entry.localPath}`);
}

/** All that was found where something failed; a line where nothing did. */
function validatedText(validated: ValidatedModel): string {
  if (validated.isValid) return `Validated: ${countsText(validated.results)}`;
  return `The model is here, and did not pass all checks:\n${renderValidated(validated)}`;
}

/** `qwen2.5-0.5b (0d8cef38, alias qwen2-5-0-5b)` */
function nameText({ name, alias, id }: TakenFromHub['entry']): string {
  const shown = name ?? alias ?? id;
  const others = [...(shown === id ? [] : [id]), ...(alias === undefined || alias === shown ? [] : [`alias ${alias}`])];
  return others.length === 0 ? printable(shown) : `${printable(shown)} (${others.map(printable).join(', ')})`;
}

export function fetchedText(report: NonNullable<TakenFromHub['report']>): string {
  // A conversion changes the size afterwards.
  const { size } = report.entry;
  const { transferredBytes, reusedBytes, resumedBytes, seconds, bytesPerSecond } = report;
  const rate = `in ${formatDuration(seconds * 1000)} (${formatRate(bytesPerSecond)})`;
  return [
    transferredBytes === 0 ? 'nothing to fetch' : `fetched ${formatShare(transferredBytes, size)} ${rate}`,
    ...(reusedBytes > 0 ? [`${formatBytes(reusedBytes)} were on this disk`] : []),
    ...(resumedBytes > 0 ? [`${formatBytes(resumedBytes)} were there from an earlier attempt`] : []),
    'verified',
  ].join(', ');
}
