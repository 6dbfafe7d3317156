import type { KnownInvite } from '@model-rtc/mesh';
import { defineCommand } from '../../command-line/types.ts';
import { formatSome, formatTime, printable } from '../../console/format.ts';
import { renderTable } from '../../console/table.ts';
import { meshOption, shortKey } from './options.ts';

/** Members that a line names. */
const NAMED_MEMBERS = 3;

export const invites = defineCommand({
  usage: 'invites',
  describe: 'List the invites of a mesh, and who came with each; mesh remove --invite takes one back',
  options: { ...meshOption },
  examples: [['$0 mesh invites', 'on the machine that made the mesh']],
  async run(context, { mesh }) {
    const { output } = context;
    const { meshInvites } = await import('@model-rtc/mesh');
    const { paths } = await context.registry();
    const found = await meshInvites(paths.root, mesh);
    const text = renderTable(
      found.invites,
      [
        { title: 'INVITE', value: ({ key }) => shortKey(key), isWhole: true },
        { title: 'STATE', value: ({ state }) => state.replace('_', ' ') },
        { title: 'USED', value: usedText, isWhole: true },
        { title: 'SCOPES', value: ({ scopes }) => scopes.join(','), optional: 2 },
        { title: 'UNTIL', value: ({ expiresAt }) => formatTime(expiresAt), optional: 1 },
        { title: 'MADE', value: ({ madeAt }) => formatTime(madeAt), optional: 3 },
        { title: 'MEMBERS', value: ({ members }) => namesText(members), optional: 4 },
      ],
      output.columns,
    );
    if (found.invites.length === 0) output.note(`No invites to ${printable(found.mesh)} are known here.`);
    if (!found.isAuthority)
      output.note('This machine knows invites that were used. All of them are known where the mesh was made.');
    output.result(found, found.invites.length === 0 ? '' : text);
  },
});

function usedText({ used, uses, state }: KnownInvite): string {
  // Memberships that it gave are not kept.
  if (state === 'revoked') return '';
  return uses === undefined ? `${used}` : `${used} of ${uses}`;
}

function namesText(members: KnownInvite['members']): string {
  return members.length === 0
    ? ''
    : printable(
        formatSome(
          members.map(({ name }) => name),
          NAMED_MEMBERS,
        ),
      );
}
