import { freeBytes } from '@model-rtc/files';
import type { Hub, HubModel } from '@model-rtc/hub';
import { ModelRtcError } from '@model-rtc/protocol';
import type { NamePair, Registry, RegistryEntry } from '@model-rtc/registry';
import { pullFromProviders } from '../pull-model.ts';
import type { ClientContext } from '../remote-worker.ts';
import { speedOf } from '../transfer-speed.ts';
import { askHub, settleAccess } from './access.ts';
import { type ChosenFiles, chooseFiles } from './choose-files.ts';
import { familyOf, requireSupported } from './families.ts';
import { findHere, isSameChoice, nameAgain } from './find-here.ts';
import { licenseOf, settleLicense } from './license.ts';
import { nameOfRepository, requireModelName, withAlias } from './model-name.ts';
import { providersOfFiles } from './shared-files.ts';
import type { TakenFromHub, TakeOptions } from './types.ts';

/**
 * Brings a model from a hub into this machine's registry: whole and verified, or not at all. What an earlier attempt fetched, and
 * what this disk has in any model, is not fetched again. Everything that may stop it is settled before the first byte: whether the
 * family is supported, the license, access to a gated model, the name. Nothing of the repository is run.
 *
 * @throws ModelRtcError `refused` for a family that is not supported, a license that is not accepted, or a hub that gives no access;
 * `alias_taken` when the name is another model's and the decision is `cancel`; `ambiguous` when the repository holds several models; what `convertModel` throws: then the model stays as it was fetched;
 * what `Hub.model` and `pullFromProviders` throw
 */
export async function takeFromHub(context: ClientContext, options: TakeOptions): Promise<TakenFromHub> {
  const taken = await take(context, options);
  const final = options.convert === undefined ? taken : await convert(context.registry, taken, options);
  return await validate(context.registry, final, options);
}

async function take(context: ClientContext, options: TakeOptions): Promise<TakenFromHub> {
  const { registry } = context;
  if (options.name !== undefined) requireModelName(options.name);
  const pinned = await findHere(registry, options, undefined);
  if (pinned !== undefined) return await alreadyHere(registry, pinned, options);
  const { hub, model } = await askHub(options);
  const here = await findHere(registry, options, model.commit);
  if (here !== undefined) return await alreadyHere(registry, here, options);
  const family = familyOf(model);
  if (options.families !== undefined) requireSupported(model.repo, family, options.families);
  const chosen = await choose(model, options);
  await tellFound(registry, model, family, chosen, options);
  const licenseAccepted = await settleLicense(registry, licenseOf(model), options);
  const opened = await settleAccess(hub, model, options);
  const named = await settleName(registry, model, chosen, options);
  return await fetch(context, options, { hub: opened, model, chosen, named, licenseAccepted });
}

interface Chosen extends ChosenFiles<HubModel['files'][number]> {
  /** The patterns that made it so. */
  readonly include: readonly string[];
}

/** Asks again where one of several sets of weights has to be chosen. */
async function choose(model: HubModel, options: TakeOptions): Promise<Chosen> {
  const { include = [] } = options;
  try {
    return { ...chooseFiles(model.repo, model.files, options), include };
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code !== 'ambiguous' || options.chooseWeights === undefined) throw known;
    const chosen = [...include, ...(await options.chooseWeights(known))];
    return { ...chooseFiles(model.repo, model.files, { ...options, include: chosen }), include: chosen };
  }
}

async function tellFound(
  { paths }: Registry,
  model: HubModel,
  family: string | undefined,
  { files, leftOut }: Chosen,
  { onFound }: TakeOptions,
): Promise<void> {
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
  onFound?.({ model, family, files, leftOut, totalBytes, freeBytes: await freeBytes(paths.staging) });
}

/** The names that the model gets. */
interface SettledName extends NamePair {
  /** Whether other models lose them. */
  readonly takes: boolean;
  readonly owners: readonly RegistryEntry[];
}

async function settleName(
  registry: Registry,
  { repo, commit }: HubModel,
  { onlyWeights }: Chosen,
  options: TakeOptions,
): Promise<SettledName> {
  const { name, alias, ifTaken } = options;
  const wanted = withAlias(name ?? nameOfRepository(repo, onlyWeights), alias);
  const taken = await registry.namesTaken(wanted);
  if (taken === undefined) return { ...wanted, takes: false, owners: [] };
  // A worker sent it and says that it is this very commit: if that is true it keeps its name, and if not it has no right to it. Or it
  // was taken from here, and is damaged, since it would have been found as it is.
  const isSaidToBeSame = taken.owners.every(
    (owner) =>
      owner.hub?.repo === repo &&
      owner.hub.commit === commit &&
      (owner.source !== 'hub' || isSameChoice(owner, options)),
  );
  if (isSaidToBeSame) return { ...wanted, takes: true, owners: taken.owners };
  const decision = typeof ifTaken === 'string' ? ifTaken : await ifTaken(taken, wanted);
  if (decision === 'rename') return { ...taken.free, takes: false, owners: [] };
  if (decision === 'overwrite') return { ...wanted, takes: true, owners: taken.owners };
  const [owner] = taken.owners;
  const sentence = `Model ${owner?.id} is called "${wanted.name}" already, so nothing was fetched. Pass --if-exists overwrite or rename, or choose another --name.`;
  throw new ModelRtcError('alias_taken', sentence, { details: { ...wanted, owner: owner?.id, free: taken.free } });
}

interface Settled {
  readonly hub: Hub;
  readonly model: HubModel;
  readonly chosen: Chosen;
  readonly named: SettledName;
  readonly licenseAccepted: NonNullable<RegistryEntry['licenseAccepted']>;
}

async function fetch(
  context: ClientContext,
  options: TakeOptions,
  { hub, model, chosen, named, licenseAccepted }: Settled,
): Promise<TakenFromHub> {
  const { signal, onProgress, safeOnly, exclude = [], workers = [] } = options;
  const { clock, random, registry } = context;
  const { name, alias, takes, owners } = named;
  const { HubProvider } = await import('@model-rtc/hub');
  const provider = new HubProvider({ hub, model, files: chosen.files, clock, random, entry: { name, alias } });
  try {
    const contents = await provider.contents({ ref: provider.ref, digest: undefined });
    const others = await providersOfFiles(context, workers, model.repo, contents, signal);
    const report = await pullFromProviders(context, [provider, ...others], provider.ref, {
      ...{ isName: true, signal, onProgress, safeOnly, alias: options.alias, ...speedOf(options) },
      aliasConflict: takes ? 'overwrite' : undefined,
      additions: {
        ...{ name, takesName: takes, licenseAccepted },
        importedWith: { include: [...chosen.include], exclude: [...exclude] },
      },
    });
    const isNew = report.outcome === 'pulled';
    const outcome = isNew ? 'imported' : 'already_there';
    const entry = isNew
      ? report.entry
      : await describe(registry, report.entry, {
          origin: (await provider.resolve(provider.ref)).entry.hub,
          named,
          licenseAccepted,
        });
    const renamedFrom = owners.map(({ id }) => id).filter((id) => id !== entry.id);
    return { entry, outcome, leftOut: chosen.leftOut, renamedFrom, report };
  } finally {
    provider.close();
  }
}

/** A model that came here another way is what the hub has: its entry says so from now on. */
async function describe(
  registry: Registry,
  entry: RegistryEntry,
  {
    origin,
    named,
    licenseAccepted,
  }: Pick<Settled, 'named' | 'licenseAccepted'> & { readonly origin: RegistryEntry['hub'] },
): Promise<RegistryEntry> {
  return await registry.update(entry.id, {
    hub: origin,
    licenseAccepted,
    ...(entry.name === undefined ? { name: named.name, takesName: named.takes } : {}),
  });
}

async function alreadyHere(registry: Registry, entry: RegistryEntry, options: TakeOptions): Promise<TakenFromHub> {
  return { entry: await nameAgain(registry, entry, options), outcome: 'already_there', leftOut: [], renamedFrom: [] };
}

async function convert(
  registry: Registry,
  taken: TakenFromHub,
  { signal, onProgress }: TakeOptions,
): Promise<TakenFromHub> {
  const { digest, name = taken.entry.id } = taken.entry;
  if (digest === undefined) return taken;
  try {
    const { entry, converted } = await registry.convertModel(digest, {
      ...{ replace: true, signal },
      onProgress: (progress) => onProgress?.({ type: 'local', ...progress }),
    });
    return { ...taken, entry, converted };
  } catch (error) {
    const known = ModelRtcError.from(error);
    const sentence = `${known.message} The model stays as it was fetched: ${name}.`;
    throw ModelRtcError.because(known, known.code, sentence);
  }
}

/** A model that is not valid is here all the same: a person decides what to do with it. */
async function validate(
  registry: Registry,
  taken: TakenFromHub,
  { validate: how, signal, onProgress }: TakeOptions,
): Promise<TakenFromHub> {
  const isNew = taken.outcome === 'imported' || (taken.converted ?? []).length > 0;
  if (how === undefined || !isNew) return taken;
  const validated = await registry.validate(taken.entry.id, {
    ...{ ...how, bytesVerified: true, signal },
    onProgress: (progress) => onProgress?.({ type: 'local', phase: 'verify', ...progress }),
  });
  return { ...taken, entry: validated.entry, validated };
}
