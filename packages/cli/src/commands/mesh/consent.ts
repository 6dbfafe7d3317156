import type { consentDecisions } from '@model-rtc/mesh';
import { ModelRtcError } from '@model-rtc/protocol';
import { defineCommand, flagOption, textsOption } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { formatCount, formatTime, printable } from '../../console/format.ts';
import { consentRule } from '../../console/settings.ts';
import { renderTable } from '../../console/table.ts';
import { meshOption, shortKey } from './options.ts';

export const consent = defineCommand({
  usage: 'consent [nodes..]',
  describe: 'Agree to fetch models from nodes, or take that back; without a node, list what was decided',
  positionals: {
    nodes: textsOption("Nodes' names, or the first characters of their keys", { completes: 'mesh-nodes' }),
  },
  options: {
    ...meshOption,
    all: flagOption('All members that there are now; for later ones too: model-rtc settings set mesh.consent members'),
    withdraw: flagOption('Take the consent back'),
  },
  examples: [
    ['$0 mesh consent gpu-3 nas', 'models may come from these two'],
    ['$0 mesh consent gpu-3 --withdraw', 'nothing is fetched from it any more'],
    ['$0 mesh consent', 'list the nodes that have it'],
  ],
  async run(context, { nodes, mesh, all, withdraw }) {
    if (all && nodes.length > 0)
      throw new ModelRtcError('bad_argument', '--all is for all members. Leave out the names, or --all.');
    if (!all && nodes.length === 0) {
      if (withdraw) throw new ModelRtcError('bad_argument', 'Whose consent? Pass the names of nodes, or --all.');
      return await list(context, mesh);
    }
    const { consentInMesh } = await import('@model-rtc/mesh');
    const { paths } = await context.registry();
    const decided = await consentInMesh({
      ...{ root: paths.root, mesh, nodes: all ? undefined : nodes, isGiven: !withdraw, by: 'mesh consent' },
      log: context.log,
    });
    const names = decided.nodes.map(({ name, key }) => `${printable(name)} (${shortKey(key)})`).join(', ');
    const sentence = withdraw ? `Took back the consent for ${names}.` : `Models may be fetched from ${names}.`;
    context.output.result(
      { ...decided, hasConsent: !withdraw },
      names === '' ? `${printable(decided.mesh)} has no other members.` : sentence,
    );
    if (withdraw && names !== '' && (await consentRule(context.home)) === 'members') context.output.note(STILL_ALL);
  },
});

const STILL_ALL =
  'mesh.consent is members, so they have it as members. Ask about each again: model-rtc settings unset mesh.consent. Or leave one out: model-rtc mesh distrust NODE.';

async function list(context: Context, mesh: string | undefined): Promise<void> {
  const { consentDecisions } = await import('@model-rtc/mesh');
  const { paths } = await context.registry();
  const [decisions, rule] = [await consentDecisions(paths.root, mesh), await consentRule(context.home)];
  context.output.result({ rule, ...decisions }, table(decisions, context.output.columns));
  const { consents } = decisions;
  if (rule === 'members') context.output.note('mesh.consent is members: models may be fetched from every member.');
  else if (consents.length === 0)
    context.output.note('Nobody was agreed to yet. pull-model asks when a model is first fetched from a node.');
  else context.output.note(`Models may be fetched from ${formatCount(consents.length, 'node')}.`);
}

function table(
  { consents, declined }: Awaited<ReturnType<typeof consentDecisions>>,
  width: number | undefined,
): string {
  const rows = [
    ...consents.map((decision) => ({ ...decision, hasConsent: true })),
    ...declined.map((decision) => ({ ...decision, hasConsent: false })),
  ];
  if (rows.length === 0) return '';
  return renderTable(
    rows,
    [
      { title: 'NAME', value: ({ name }) => printable(name) },
      { title: 'KEY', value: ({ key }) => shortKey(key), isWhole: true },
      { title: 'CONSENT', value: ({ hasConsent }) => (hasConsent ? 'yes' : 'no') },
      { title: 'SINCE', value: ({ at }) => formatTime(at) },
      { title: 'BY', value: ({ by }) => printable(by), optional: 1 },
    ],
    width,
  );
}
