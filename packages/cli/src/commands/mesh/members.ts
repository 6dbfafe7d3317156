import { defineCommand, requiredText } from '../../command-line/types.ts';
import { printable } from '../../console/format.ts';
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
  usage: 'remove <node>',
  describe: 'Remove a node from the mesh; only the machine that made the mesh can',
  positionals: { node: nodeArgument },
  options: { ...meshOption },
  examples: [['$0 mesh remove gpu-3', 'it is refused everywhere within minutes']],
  async run(context, { node, mesh }) {
    const { removeFromMesh } = await import('@model-rtc/mesh');
    const removed = await removeFromMesh({ ...(await meshWork(context, mesh)), node });
    const name = `${printable(removed.name)} (${shortKey(removed.key)})`;
    context.output.result(removed, `Removed ${name} from ${removed.mesh}.`);
    context.output.note(
      'Members refuse it as soon as they hear of this: at once where they are connected, else within 5 minutes.',
    );
    if (removed.told.length === 0)
      context.output.note(
        'No other member was reached now. `model-rtc worker` on this machine tells them as soon as they are.',
      );
  },
});

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
      const name = `${printable(changed.name)} (${shortKey(changed.key)})`;
      const sentence = isTrusted
        ? `${name} counts on this machine.`
        : `${name} does not count on this machine any more.`;
      context.output.result(changed, sentence);
    },
  });
}
