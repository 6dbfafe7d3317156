import {
  type Condition,
  knownProperties,
  type MeshNodeInfo,
  parseWhere,
  propertyOf,
  queryNodes,
} from '@model-rtc/mesh';
import { defineCommand, flagOption, textOption, textsOption } from '../../command-line/types.ts';
import { formatCount, formatDuration, formatSome, formatTime, printable } from '../../console/format.ts';
import { renderTable } from '../../console/table.ts';
import { meshOption, openNamedMesh, shortKey } from './options.ts';

/** How long answers are waited for where no worker runs on this machine. */
const REFRESH_MS = 4_000;

export const peers = defineCommand({
  usage: 'peers',
  describe: "List the mesh's nodes: how each is reached, whether it is present, and what is wrong with it",
  options: {
    ...meshOption,
    'known-only': flagOption('Show what is known here, and ask nobody'),
    where: textOption(
      'Only nodes for which all of this holds, such as \'gpu_memory >= 16, platform = linux\' or {"gpu_memory": {"$gte": 16}}',
    ),
    tag: textsOption('Only nodes with this tag', { nargs: 1 }),
    best: textOption('Put first those with the most of a property, such as gpu_memory; least for load and latency'),
  },
  examples: [
    ['$0 mesh peers', 'name, state, how it is reached, models'],
    ["$0 mesh peers --where 'gpu_memory >= 16' --tag lab --best gpu_memory", "the lab's large GPUs, the largest first"],
  ],
  async run(context, { mesh: name, knownOnly, where, tag, best }) {
    const conditions = where === undefined ? [] : parseWhere(where);
    await using mesh = await openNamedMesh(context, name);
    if (!knownOnly) await mesh.refresh({ signal: context.signal, waitMs: REFRESH_MS });
    const all = await mesh.nodes();
    const isQuery = where !== undefined || tag.length > 0 || best !== undefined;
    const nodes = isQuery ? queryNodes(all, { where: conditions, tags: tag, best }) : all;
    const shown = propertiesOf(conditions, best);
    const text = nodes.length === 0 ? '' : table(nodes, shown, context.output.columns);
    context.output.result({ mesh: mesh.name, id: mesh.id, nodes }, text);
    const others = nodes.filter(({ isSelf }) => !isSelf);
    const present = others.filter(({ isPresent }) => isPresent);
    if (all.every(({ isSelf }) => isSelf)) context.output.note(NOBODY_ELSE);
    else if (nodes.length === 0) context.output.note('No node fits. See all of them: model-rtc mesh peers');
    else
      context.output.note(
        `${present.length} of ${formatCount(others.length, 'other node')} present in ${printable(mesh.name)}`,
      );
    const unknown = unknownText(all, [
      ...conditions.map(({ property }) => property),
      ...(best === undefined ? [] : [best]),
    ]);
    if (unknown !== undefined) context.output.note(unknown);
    for (const { name: node, key, problem } of nodes) {
      if (problem !== undefined) context.output.note(`${printable(node)} (${shortKey(key)}): ${printable(problem)}`);
    }
  },
});

const NOBODY_ELSE =
  'Nobody else is known yet. Invite others with model-rtc mesh invite; or, where this machine joined, start model-rtc worker on a machine that is in the mesh.';

/** The properties that a person asked about. */
function propertiesOf(conditions: readonly Condition[], best: string | undefined): string[] {
  const named = [...conditions.map(({ property }) => property), ...(best === undefined ? [] : [best])];
  return [...new Set(named)].filter((property) => !SHOWN_ANYWAY.has(property));
}

/** They have columns of their own. */
const SHOWN_ANYWAY: ReadonlySet<string> = new Set(['name', 'role', 'models', 'latency']);

/** A property that no node says anything about may be mistyped. */
function unknownText(nodes: readonly MeshNodeInfo[], asked: readonly string[]): string | undefined {
  const known = knownProperties(nodes);
  const unknown = asked.find((property) => !known.includes(property));
  if (unknown === undefined) return undefined;
  return printable(
    `No node says anything about ${unknown}. What is known: ${formatSome(known, MAX_NAMED_PROPERTIES)}.`,
  );
}

const MAX_NAMED_PROPERTIES = 24;

function table(nodes: readonly MeshNodeInfo[], properties: readonly string[], width: number | undefined): string {
  return renderTable(
    nodes,
    [
      { title: 'NAME', value: ({ name, isSelf }) => (isSelf ? `${name} (this)` : name) },
      { title: 'KEY', value: ({ key }) => shortKey(key), isWhole: true },
      { title: 'ROLE', value: ({ role }) => role, optional: 4 },
      { title: 'STATE', value: stateText },
      { title: 'REACHED', value: reachText },
      ...properties.map((property) => ({
        title: printable(property.toUpperCase()),
        value: (node: MeshNodeInfo) => propertyText(node, property),
      })),
      { title: 'MODELS', value: ({ modelCount }) => String(modelCount), align: 'right' },
      {
        title: 'LATENCY',
        value: ({ latencyMs }) => (latencyMs === undefined ? '' : formatDuration(latencyMs)),
        optional: 3,
      },
      ...(nodes.some(({ bridgeUrl }) => bridgeUrl !== undefined)
        ? [{ title: 'BRIDGE', value: ({ bridgeUrl = '' }: MeshNodeInfo) => bridgeUrl, optional: 5 }]
        : []),
      { title: 'TAGS', value: ({ tags }) => tags.join(','), optional: 2 },
      { title: 'TRUST', value: ({ isTrusted }) => (isTrusted ? 'yes' : 'no'), optional: 1 },
      { title: 'CONSENT', value: consentText, optional: 1 },
    ],
    width,
  );
}

function propertyText(node: MeshNodeInfo, property: string): string {
  const value = propertyOf(node, property) ?? '';
  return printable(typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : String(value));
}

function stateText({ isPresent, isSelf, heardAt }: MeshNodeInfo): string {
  if (isPresent) return 'present';
  if (isSelf) return 'no worker';
  return heardAt === undefined ? 'no worker yet' : `absent since ${formatTime(heardAt.toISOString())}`;
}

function consentText({ isSelf, hasConsent }: MeshNodeInfo): string {
  if (isSelf) return '-';
  return hasConsent ? 'yes' : 'no';
}

function reachText({ isSelf, isPresent, heardAt, reachedBy, urls }: MeshNodeInfo): string {
  const isAbsent = !isPresent && heardAt !== undefined;
  if (isSelf || isAbsent) return '-';
  if (reachedBy !== undefined) return reachedBy;
  return urls.length === 0 ? 'no address' : 'not yet';
}
