import type { WorkerConnection } from '@model-rtc/client';
import { type ModelEntry, ModelRtcError } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { defineCommand } from '../../../command-line/types.ts';
import type { Context } from '../../../console/context.ts';
import { printable } from '../../../console/format.ts';
import { suggestedSession } from '../../../console/suggested-session.ts';
import { connectWorker, workerNamer } from '../../connect.ts';
import { localModel, type NetworkOptions, networkOptions, workerOption } from '../../options.ts';
import { modelSections } from './sections.ts';
import type { ModelFacts } from './types.ts';

export const modelInfo = defineCommand({
  usage: 'model-info <ref>',
  describe: 'Show everything known about a model, on this machine or at a worker',
  positionals: { ref: localModel },
  options: { worker: workerOption, ...networkOptions },
  examples: [
    ['$0 client model-info good-mouse-v1', 'by its alias'],
    ['$0 client model-info good-mouse-v1 --worker lab', 'as a saved worker has it now'],
  ],
  /** Shows this machine's model, unless a worker is named; of a model that only workers have, what they said when last asked. */
  async run(context, { ref, worker, ...network }) {
    const registry = await context.registry();
    const facts =
      worker === undefined
        ? await factsHere(context, registry, ref)
        : await factsAtWorker(context, registry, { ref, worker, network });
    const nameOf = await workerNamer(context);
    const availability = facts.availability.map((known) => ({ ...known, name: nameOf(known) }));
    const from = facts.from === undefined ? undefined : { ...facts.from, name: nameOf(facts.from) };
    const named = { ...facts, availability, from };
    // A model that is elsewhere is fetched from the worker that has it.
    const holder = worker === undefined && facts.here === undefined ? facts.availability[0]?.key : undefined;
    const session = await suggestedSession(context, { given: worker, workerKey: holder });
    const text = modelSections(named, session).map((section) => section.map(printable).join('\n'));
    context.output.result(named, text.join('\n\n'));
  },
});

async function factsHere({ output }: Context, registry: Registry, ref: string): Promise<ModelFacts> {
  try {
    return await localFacts(registry, ref);
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code !== 'not_found_locally') throw known;
    const facts = await rememberedFacts(registry, ref, known);
    if (facts.here === undefined) {
      output.note(
        'Not on this machine; this is what workers had when last asked. Ask again with --worker, or pull it.',
      );
    }
    return facts;
  }
}

async function localFacts(registry: Registry, ref: string): Promise<ModelFacts> {
  const { resumeCommand } = await import('@model-rtc/registry');
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

interface AskedWorker {
  readonly ref: string;
  readonly worker: string;
  readonly network: NetworkOptions;
}

async function factsAtWorker(
  context: Context,
  registry: Registry,
  { ref, worker: session, network }: AskedWorker,
): Promise<ModelFacts> {
  const { signal, output } = context;
  await using worker = await connectWorker(context, network, session);
  const { entry, otherHere, ...answer } = await worker.modelInfo(ref, { signal });
  const { digest } = entry;
  const files = digest === undefined ? [] : (await worker.manifest(digest, { signal })).files;
  const here = digest === undefined ? undefined : await registry.find(digest);
  const availability = digest === undefined ? [] : await registry.availability(digest);
  if (answer.namedBy === 'client') {
    output.note(`The worker has no model "${ref}"; this is its copy of the model with that name here.`);
  } else if (otherHere !== undefined) {
    output.note(`This is the worker's "${ref}". On this machine that names another model: ${otherHere}.`);
  }
  const resumesThere = entry.status === 'interrupted' ? await canResume(worker, entry, signal) : undefined;
  return { ...answer, entry, here, otherHere, resumesThere, from: worker.known, availability, files };
}

/** Whether a runner of the worker resumes a training. An older worker, or a session that may run nothing, resumes none. */
async function canResume(
  worker: WorkerConnection,
  { modelType, framework = modelType }: ModelEntry,
  signal: AbortSignal,
): Promise<boolean> {
  const runners = await worker.jobs.runners({ signal }).catch((error: unknown) => {
    const { code } = ModelRtcError.from(error);
    if (code === 'scope_missing' || code === 'protocol_mismatch') return [];
    throw error;
  });
  return runners.some(
    // Nobody has examined the files of a training that is not complete.
    ({ usable, resumes, types, allowsUnsafeModels }) =>
      usable &&
      resumes &&
      allowsUnsafeModels &&
      (types.length === 0 || types.includes(modelType) || types.includes(framework)),
  );
}
