import type { MeshNodes } from '@model-rtc/mesh';
import { ModelRtcError } from '@model-rtc/protocol';
import { type ArgumentSpecs, textOption, textsOption } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { gossipInterval, nodeId, nodeNameIn } from '../../console/environment.ts';
import { formatCount, printable } from '../../console/format.ts';
import { usesMdns } from '../../console/settings.ts';
import { packageVersion } from '../../package.ts';

/** How a worker takes part in meshes. */
export const workerMeshOptions = {
  mesh: textOption('Take part in this mesh only [all that this machine joined]; --no-mesh: in none', {
    completes: 'meshes',
  }),
  mdns: {
    type: 'boolean',
    default: true,
    describe: 'Find members of a mesh on the local network; --no-mdns forbids it',
  },
  tag: textsOption('A word by which members find this worker, such as lab', { nargs: 1 }),
  property: textsOption('NAME=VALUE that members see of this worker, such as room=B12', { nargs: 1 }),
} as const satisfies ArgumentSpecs;

export interface WorkerMeshFlags {
  /** `false` for --no-mesh. */
  readonly mesh?: string | boolean | undefined;
  readonly mdns: boolean;
  /** Of the worker, where it was given. */
  readonly name?: string | undefined;
  readonly tag: readonly string[];
  readonly property: readonly string[];
}

/** @returns undefined where the worker takes part in none. @throws ModelRtcError `bad_argument`, `not_found_locally` */
export async function openWorkerMesh(
  context: Context,
  flags: WorkerMeshFlags,
  name: string,
): Promise<MeshNodes | undefined> {
  const own = parseProperties(flags.property);
  if (flags.mesh === false) return undefined;
  const { openMeshNodes, requireOwnWords, suggestNodeName } = await import('@model-rtc/mesh');
  requireOwnWords(flags.tag, own);
  const registry = await context.registry();
  const { machineProperties } = await import('@model-rtc/jobs');
  const { env, platform } = context.runtime;
  const id = nodeId(env);
  const said = { ...(id === undefined ? {} : { node_id: id }), ...own };
  return await openMeshNodes({
    ...{ registry, name: typeof flags.mesh === 'string' ? flags.mesh : undefined, tags: flags.tag, log: context.log },
    ...{
      agent: { name, version: packageVersion() },
      nodeName: flags.name === undefined ? await nodeNameIn(env) : suggestNodeName(flags.name),
    },
    onJoined: (node, mesh) => context.output.note(printable(`${node} joined the mesh ${mesh}`)),
    usesMdns: flags.mdns && (await usesMdns(context.home)),
    gossipIntervalMs: gossipInterval(env),
    properties: async () => ({ ...(await machineProperties({ env, platform, folder: registry.paths.root })), ...said }),
  });
}

/** Which meshes the worker takes part in, and with how many. */
export function meshLines(mesh: MeshNodes | undefined): string[] {
  return (mesh?.joined() ?? []).map(
    ({ name, others }) => `In the mesh ${name}, with ${formatCount(others, 'other member')}: see model-rtc mesh peers`,
  );
}

/** @throws ModelRtcError `bad_argument` */
function parseProperties(given: readonly string[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    given.map((text) => {
      const [, name, value] = /^([a-z][a-z0-9_.-]{0,63})=(.{1,256})$/i.exec(text) ?? [];
      if (name === undefined || value === undefined) {
        throw new ModelRtcError('bad_argument', `--property takes NAME=VALUE, such as room=B12, not "${text}".`);
      }
      if (value === 'true' || value === 'false') return [name, value === 'true'];
      return [name, /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value];
    }),
  );
}
