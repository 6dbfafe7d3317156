import { ModelRtcError } from '@model-rtc/protocol';
import { defineCommand, requiredText, textOption } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { formatSome, printable } from '../../console/format.ts';
import { meshOption, meshWork, shortKey } from './options.ts';

const nodeArgument = requiredText("A node's name, or the first characters of its key", { completes: 'mesh-nodes' });

export const leave = defineCommand({
  usage: 'leave',
  describe: 'Leave a mesh: the others forget this machine',
  options: { ...meshOption },
  examples: [['$0 mesh leave', 'the models here stay']],
  async run(context, { mesh }) {
    const { leaveMesh } = await import('@model-rtc/mesh');
    const left = await leaveMesh(await meshWork(context, mesh));
    context.output.result(left, `Left the mesh ${left.name}.`);
    if (left.told.length === 0)
      context.output.note('No member could be reached: they forget this machine when it has been silent for a while.');
    if (left.authorityKeyFile !== undefined)
      context.output.note(`This machine was the authority of the mesh. Its key is kept as ${left.authorityKeyFile}.`);
  },
});

export const remove = defineCommand({
  usage: 'remove [node]',
  describe: 'Remove a node from the mesh, or all that came with an invite; only the machine that made the mesh can',
  positionals: { node: textOption(nodeArgument.describe, { completes: 'mesh-nodes' }) },
  options: {
    ...meshOption,
    invite: textOption('Revoke this invite and remove whoever came with it: the first characters of its key'),
  },
  examples: [
    ['$0 mesh remove gpu-3', 'it is refused everywhere within minutes'],
    ['$0 mesh remove --invite 4f1c22ab', 'an invite that got into wrong hands; mesh invites lists them'],
  ],
  async run(context, { node, mesh, invite }) {
    if ((node === undefined) === (invite === undefined))
      throw new ModelRtcError('bad_argument', 'Pass the name of a node, or --invite with the key of an invite.');
    const work = await meshWork(context, mesh);
    if (invite !== undefined) return await removeByInvite(context, work, invite);
    const { removeFromMesh } = await import('@model-rtc/mesh');
    const removed = await removeFromMesh({ ...work, node: node ?? '' });
    context.output.result(removed, `Removed ${named(removed)} from ${removed.mesh}.`);
    noteRemoval(context, 'it', removed);
  },
});

/** Members that a sentence names. */
const NAMED_MEMBERS = 10;

async function removeByInvite(
  context: Context,
  work: Awaited<ReturnType<typeof meshWork>>,
  invite: string,
): Promise<void> {
  const { removeInviteFromMesh } = await import('@model-rtc/mesh');
  const done = await removeInviteFromMesh({ ...work, invite });
  const { mesh, removed } = done;
  const who =
    removed.length === 0 ? 'Nobody had come with it' : `Removed ${formatSome(removed.map(named), NAMED_MEMBERS)}`;
  context.output.result(done, `Revoked the invite ${shortKey(done.invite)} to ${mesh}. ${who}.`);
  if (removed.length > 0) noteRemoval(context, 'them', done);
}

function noteRemoval({ output }: Context, whom: string, { told }: { readonly told: readonly string[] }): void {
  output.note(
    `Members refuse ${whom} as soon as they hear of this: at once where they are connected, else within 5 minutes.`,
  );
  if (told.length === 0)
    output.note('No other member was reached now. `model-rtc worker` on this machine tells them as soon as they are.');
}

function named({ name, key }: { readonly name: string; readonly key: string }): string {
  return `${printable(name)} (${shortKey(key)})`;
}

export const trust = trustCommand('trust', true);
export const distrust = trustCommand('distrust', false);

function trustCommand(verb: 'trust' | 'distrust', isTrusted: boolean) {
  return defineCommand({
    usage: `${verb} <node>`,
    describe: isTrusted
      ? "Let a node's models count here again"
      : "Leave a node's models out of what this machine sees and fetches; it stays a member",
    positionals: { node: nodeArgument },
    options: { ...meshOption },
    examples: [
      [`$0 mesh ${verb} gpu-3`, isTrusted ? 'after it was mended' : 'it announced something that it does not have'],
    ],
    async run(context, { node, mesh }) {
      const { trustInMesh } = await import('@model-rtc/mesh');
      const { paths } = await context.registry();
      const changed = await trustInMesh({ root: paths.root, mesh, node, isTrusted });
      const name = named(changed);
      const sentence = isTrusted
        ? `${name} counts on this machine.`
        : `${name} does not count on this machine any more.`;
      context.output.result(changed, sentence);
    },
  });
}
