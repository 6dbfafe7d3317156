import { defineCommand, requiredText, textOption, textsOption } from '../../command-line/types.ts';
import { variableNames } from '../../console/environment.ts';
import { nodeName } from './options.ts';

export const create = defineCommand({
  usage: 'create <name>',
  describe: 'Make a mesh, with this machine as its first member and its authority',
  positionals: { name: requiredText('Its name: 1 to 64 letters, digits, dots, - and _') },
  options: {
    signaling: textsOption(
      'A signaling server through which members in other networks reach this one; none is needed on one network',
    ),
    'node-name': textOption("This machine's name in the mesh [this machine's name]", {
      env: variableNames('nodeName'),
    }),
  },
  examples: [
    ['$0 mesh create lab', 'then: model-rtc mesh invite'],
    ['$0 mesh create lab --signaling wss://signal.lab.example', 'for members in other networks'],
  ],
  async run(context, { name, signaling, nodeName: given }) {
    const { createMesh } = await import('@model-rtc/mesh');
    const { paths } = await context.registry();
    const made = await createMesh({
      ...{ root: paths.root, name, nodeName: await nodeName(context, given), signalingUrls: signaling },
    });
    context.output.result(
      made,
      `Made the mesh ${made.name}. This machine is its first member, and decides who leaves it.`,
    );
    context.output.note('Invite the others:       model-rtc mesh invite');
    context.output.note('Serve the models here:   model-rtc worker');
    context.output.note(`Back up ${made.authorityKeyFile}: without it nobody can be removed from the mesh.`);
  },
});
