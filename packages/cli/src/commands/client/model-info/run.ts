import { type ManifestFile, ModelRtcError } from '@model-rtc/protocol';
import { type Registry, type RegistryEntry, resumeCommand } from '@model-rtc/registry';
import type { Context } from '../../../console/context.ts';
import { printable } from '../../../console/format.ts';
import { type SessionOptions, withWorker, workerNamer } from '../../connect.ts';
import { modelSections } from './sections.ts';
import type { ModelFacts } from './types.ts';

export interface ModelInfoOptions extends SessionOptions {
  readonly ref: string;
}

/** Shows this machine's model, unless a worker is named; of a model that only workers have, what they said when last asked. */
export async function runModelInfo(context: Context, options: ModelInfoOptions): Promise<void> {
  const registry = await context.registry();
  if (options.session !== undefined) return await workerModelInfo(context, registry, options);
  const facts = await localFacts(registry, options.ref).catch(async (error: unknown) => {
    const known = ModelRtcError.from(error);
    if (known.code !== 'not_found_locally') throw known;
    return await rememberedFacts(registry, options.ref, known);
  });
  if (facts.here === undefined) {
    context.output.note(
      'Not on this machine; this is what workers had when last asked. Ask again with --worker, or pull it.',
    );
  }
  await print(context, facts);
}

async function localFacts(registry: Registry, ref: string): Promise<ModelFacts> {
  const { entry, resolvedBy } = await registry.resolve(ref);
  const details = await localDetails(registry, entry);
  return { entry, here: entry, resolvedBy, resumeCommand: resumeCommand(entry), ...details };
}

async function localDetails(
  registry: Registry,
  entry: RegistryEntry,
): Promise<Pick<ModelFacts, 'availability' | 'files' | 'check' | 'lineage'>> {
  const { digest, id } = entry;
  const lineage = await registry.lineage(id);
  if (digest === undefined) return { availability: [], lineage };
  const [availability, check] = await Promise.all([registry.availability(digest), registry.check(digest)]);
  // A damaged manifest is one of the problems that are shown.
  const manifest = await registry.manifest(digest).catch(() => undefined);
  return { availability, files: manifest?.files, check, lineage };
}

async function rememberedFacts(registry: Registry, ref: string, notHere: ModelRtcError): Promise<ModelFacts> {
  const found = await registry.findElsewhere(ref);
  const [only] = found;
  if (only === undefined) throw notHere;
  if (found.length > 1) throw ambiguous(ref, found);
  const { entry, availability } = only;
  // A model that is here under another name is shown as it is here.
  const here = entry.digest === undefined ? undefined : await registry.find(entry.digest);
  return here === undefined ? { entry, availability } : await localFacts(registry, here.id);
}

function ambiguous(ref: string, found: Awaited<ReturnType<Registry['findElsewhere']>>): ModelRtcError {
  const candidates = found.slice(0, 10).map(({ entry: { id, alias, digest } }) => ({ id, alias, digest }));
  const names = candidates.map(({ id, alias }) => (alias === undefined ? id : `${id} (${alias})`)).join(', ');
  const sentence = `"${ref}" names ${found.length} models of workers: ${names}. Name one by its id.`;
  return new ModelRtcError('ambiguous', sentence, { details: { ref, candidates } });
}

async function workerModelInfo(context: Context, registry: Registry, options: ModelInfoOptions): Promise<void> {
  const { signal } = context;
  await withWorker(context, options, async (worker) => {
    const { entry, otherHere, ...answer } = await worker.modelInfo(options.ref, { signal });
    const { digest } = entry;
    const files: readonly ManifestFile[] =
      digest === undefined ? [] : (await worker.manifest(digest, { signal })).files;
    const here = digest === undefined ? undefined : await registry.find(digest);
    const availability = digest === undefined ? [] : await registry.availability(digest);
    if (answer.namedBy === 'client') {
      context.output.note(
        `The worker has no model "${options.ref}"; this is its copy of the model with that name here.`,
      );
    } else if (otherHere !== undefined) {
      context.output.note(
        `This is the worker's "${options.ref}". On this machine that names another model: ${otherHere}.`,
      );
    }
    await print(context, { ...answer, entry, here, otherHere, from: worker.known, availability, files });
  });
}

async function print(context: Context, facts: ModelFacts & { readonly otherHere?: string | undefined }): Promise<void> {
  const nameOf = await workerNamer(context);
  const availability = facts.availability.map((worker) => ({ ...worker, name: nameOf(worker) }));
  const from = facts.from === undefined ? undefined : { ...facts.from, name: nameOf(facts.from) };
  const named = { ...facts, availability, from };
  const text = modelSections(named).map((section) => section.map(printable).join('\n'));
  context.output.result(named, text.join('\n\n'));
}
