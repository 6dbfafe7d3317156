import type { OnModelProgress, PullModelResult } from '@model-rtc/client';
import type { ConsentedMesh } from '@model-rtc/mesh';
import { formatBytes, type ModelEntry } from '@model-rtc/protocol';
import { defineCommand, flagOption, requiredText, textOption } from '../../command-line/types.ts';
import { fetchAudited } from '../../console/audited-pull.ts';
import type { Context } from '../../console/context.ts';
import { printable, shortName } from '../../console/format.ts';
import { type ConsentFlags, noteLeftOut, withAgreedHolders } from '../../console/mesh-consent.ts';
import { type BestNode, isMeshText, openMeshOf, refreshUnless } from '../../console/mesh-reference.ts';
import { requireBest } from '../../console/session-argument.ts';
import { agentOptions, namedSessions } from '../connect.ts';
import { incompleteNote } from '../incomplete.ts';
import { asSet, consentOption, networkOptions, safeOnlyOption, workerOption } from '../options.ts';
import { registryOptions, registryProvider } from '../static-registry.ts';
import { askAliasConflict, noteTakenAlias } from './conflicts.ts';
import { hubOptions, pullFromHub, refuseHubOptions } from './pull-from-hub.ts';
import { beginTransfer, printPlan, resultData, transferOptions, transferText, workersText } from './transfer.ts';

export const pullModel = defineCommand({
  usage: 'pull-model <ref>',
  describe: 'Fetch a model from workers, a mesh, a static registry or a hub, or from several of them, to this machine',
  positionals: {
    ref: requiredText(
      "The worker's id, alias, digest prefix or full name of a model (GROUP/MODEL@VERSION), or else this machine's; hf:ORG/NAME[@REV] on a hub; mesh:NAME in a mesh",
      { completes: 'remote-models' },
    ),
  },
  options: {
    ...networkOptions,
    ...transferOptions,
    ...safeOnlyOption,
    ...consentOption,
    worker: {
      ...workerOption,
      coerce: asSet,
      describe: 'A session: a token, a saved name, @FILE, mesh:NODE or mesh:best; several fetch from all at once',
    },
    ...registryOptions,
    ...hubOptions,
    alias: textOption('Its alias here [the one it has here, else the one it has at the worker]'),
    pin: flagOption('Keep it from being removed when storage.cap needs room'),
  },
  examples: [
    ['$0 client pull-model good-mouse-v1 --worker lab', 'from a saved worker'],
    ['$0 client pull-model good-mouse-v1 --worker lab --worker gpu', 'from both at once'],
    ['$0 client pull-model whisper/tiny@fp16 --registry https://models.example.org', 'from a static registry'],
    ['$0 client pull-model 4f1c22ab --worker @session.txt', 'by id, with a token from a file'],
    ['$0 client pull-model hf:org/tiny --worker lab', 'from a hub, and from a worker that has files of it'],
    ['$0 client pull-model mesh:good-mouse-v1', 'from all nodes of the mesh that have it'],
    ['$0 client pull-model mouse --worker lab --alias-conflict overwrite', 'replace the old "mouse"'],
  ],
  async run(context, options) {
    const { alias, aliasConflict, ifExists, safeOnly, dryRun } = options;
    if (options.ref.startsWith('hf:')) return await pullFromHub(context, options);
    refuseHubOptions(options);
    const controls = await beginTransfer(context, options);
    const onModel = (entry: ModelEntry) => {
      if (entry.incomplete !== undefined) context.output.note(incompleteNote(entry));
    };
    const onEarlierContent = ({ alias, id }: ModelEntry, bytes: number) => {
      const name = printable(alias ?? id);
      context.output.note(
        `${name} is other content now than in an attempt that ended early and left ${formatBytes(bytes)}. What both have in common is not fetched again.`,
      );
    };
    const { connectAll } = await import('@model-rtc/client');
    const registry = await registryProvider(context, options);
    await using inMesh = await meshOf(context, options);
    const { ref, mesh } = inMesh;
    const sessions = await sessionsBeside(context, mesh ?? registry, { ...options, ref });
    const providers = registry === undefined ? [] : [registry];
    const meshes = mesh === undefined ? [] : [mesh];
    await using workers = connectAll({ ...(await agentOptions(context, options)), sessions, providers, meshes });
    if (dryRun) {
      const plan = await workers.planPull(ref, { safeOnly, onModel, ...controls });
      noteWhoseName(context, ref, plan);
      printPlan(context, plan, 'here');
      return;
    }
    const how = { alias, isName: mesh !== undefined, ifExists, safeOnly, onModel, onEarlierContent, ...controls };
    const pull = (onProgress: OnModelProgress): Promise<PullModelResult> =>
      workers.pullModel(ref, { ...how, onProgress, aliasConflict }).catch(async (error: unknown) => {
        const answer = await askAliasConflict(context, aliasConflict, error);
        return await workers.pullModel(ref, { ...how, onProgress, aliasConflict: answer });
      });
    // Where no worker is named, the one in the environment counts.
    const named = [...(options.worker ?? [])];
    const about = { ref, by: 'pull-model', from: [options.ref, ...(named.length > 0 ? named : [undefined])] };
    const result = await fetchAudited(context, about, controls.onProgress, pull);
    noteWhoseName(context, ref, { ...result, id: result.entry.id });
    if (mesh !== undefined) await noteLeftOut(context, mesh);
    noteTakenAlias(context, result, 'here');
    if (options.pin) await (await context.registry()).update(result.entry.id, { pinned: true });
    context.output.result(resultData(result), pulledText(result));
  },
});

/**
 * The mesh of `mesh:NAME`, in which the model is known by then and may be fetched from somebody, and the rest of the reference; no mesh
 * for other references.
 */
async function meshOf(
  context: Context,
  { ref: text, consent }: ConsentFlags & { readonly ref: string },
): Promise<AsyncDisposable & { ref: string; mesh?: ConsentedMesh }> {
  if (!isMeshText(text)) return { ref: text, [Symbol.asyncDispose]: async () => {} };
  const { mesh, ref } = await openMeshOf(context, text);
  try {
    await refreshUnless(context, mesh, async () => {
      const holders = await mesh.find(ref).then(
        (found) => found.holders,
        () => [],
      );
      return holders.some(({ node }) => node.isPresent && !node.isSelf);
    });
    const agreed = await withAgreedHolders(context, mesh, ref, { consent });
    return { ref, mesh: agreed, [Symbol.asyncDispose]: () => mesh[Symbol.asyncDispose]() };
  } catch (error) {
    await mesh[Symbol.asyncDispose]();
    throw error;
  }
}

/** With a mesh or a registry no worker is needed: the one in the environment is asked as well if there is one. */
async function sessionsBeside(
  context: Context,
  registry: object | undefined,
  {
    worker: given = [],
    ref,
    where,
    best,
    consent,
  }: BestNode & ConsentFlags & { readonly worker?: Iterable<string> | undefined },
) {
  const named = [...given];
  requireBest({ where, best }, named.length > 0 ? named : [context.runtime.env.MODEL_RTC_SESSION]);
  const isNamed = named.length > 0 || context.runtime.env.MODEL_RTC_SESSION !== undefined;
  return registry === undefined || isNamed
    ? await namedSessions(context, named, { where, best, ref, fetch: { consent } })
    : [];
}

/** Says which model a reference named when it could have been another: the worker's names win over this machine's. */
function noteWhoseName(
  { output }: Context,
  ref: string,
  named: Pick<PullModelResult, 'namedBy' | 'otherHere' | 'namedAt'> & { readonly id: string },
): void {
  const { id, namedBy, otherHere, namedAt } = named;
  if (namedBy === 'client') {
    output.note(`${namedAt} has no model "${ref}"; using this machine's name for ${id}.`);
  } else if (otherHere !== undefined) {
    output.note(`"${ref}" is what ${namedAt} calls ${id}; on this machine it is ${otherHere}.`);
  }
}

function pulledText(result: PullModelResult): string {
  const name = shortName(result.entry);
  const from = printable(result.workers.map((worker) => worker.name).join(', ') || result.namedAt);
  const verb = result.outcome === 'pulled' ? `Pulled ${name} from` : `${name} is already here, the same as at`;
  const lines = [`${verb} ${from}${transferText(result)}`, ...workersText(result.workers)];
  return [...lines, `  ${result.entry.localPath}`].join('\n');
}
