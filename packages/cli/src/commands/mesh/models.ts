import type { MeshModelHolders } from '@model-rtc/mesh';
import { formatBytes, MODEL_SOURCES } from '@model-rtc/protocol';
import { defineCommand, flagOption, textOption } from '../../command-line/types.ts';
import { formatCount, formatSome, printable } from '../../console/format.ts';
import { renderTable } from '../../console/table.ts';
import { meshOption, openNamedMesh } from './options.ts';

const REFRESH_MS = 4_000;
/** Characters of a digest that commands take as a reference, and that tell versions apart. */
const SHOWN_DIGEST = 8;
const NAMED_HOLDERS = 3;

export const models = defineCommand({
  usage: 'models',
  describe: 'List the models of the mesh, each with the nodes that have it',
  options: {
    ...meshOption,
    type: textOption('Only models of this type, such as gguf'),
    source: { choices: MODEL_SOURCES, describe: 'Only models that came from there' },
    tag: textOption('Only models with this tag'),
    all: flagOption('Also models that only absent nodes have'),
    'known-only': flagOption('Show what is known here, and ask nobody'),
  },
  examples: [
    ['$0 mesh models --type gguf', 'then: model-rtc client pull-model mesh:NAME'],
    ['$0 mesh models --json', 'with every digest and holder'],
  ],
  async run(context, { mesh: name, type, source, tag, all, knownOnly }) {
    await using mesh = await openNamedMesh(context, name);
    if (!knownOnly) await mesh.refresh({ signal: context.signal, waitMs: REFRESH_MS });
    const found = await mesh.models({ type, source, tag, includeAbsent: all });
    context.output.result(
      { mesh: mesh.name, models: found },
      found.length === 0 ? '' : table(found, context.output.columns),
    );
    if (found.length === 0)
      context.output.note(`No models in ${printable(mesh.name)} that fit. See who is there: model-rtc mesh peers`);
    else {
      context.output.note(`${formatCount(found.length, 'model')} in ${printable(mesh.name)}`);
      context.output.note('Fetch one from all that have it:  model-rtc client pull-model mesh:NAME');
    }
  },
});

function table(found: readonly MeshModelHolders[], width: number | undefined): string {
  return renderTable(
    found,
    [
      { title: 'NAME', value: nameText },
      { title: 'DIGEST', value: ({ digest }) => digest.slice(0, SHOWN_DIGEST), isWhole: true },
      { title: 'TYPE', value: ({ model }) => model.type, optional: 2 },
      { title: 'SIZE', value: ({ model }) => formatBytes(model.sizeBytes), align: 'right' },
      { title: 'SOURCE', value: ({ model }) => model.source, optional: 4 },
      { title: 'LICENSE', value: ({ model }) => model.license ?? '', optional: 5 },
      { title: 'HOLDERS', value: ({ holders }) => holdersText(holders) },
    ],
    width,
  );
}

function nameText({ model, names }: MeshModelHolders): string {
  return model.alias ?? names[0] ?? model.name;
}

function holdersText(holders: MeshModelHolders['holders']): string {
  const names = holders.map(
    ({ node, isWhole }) =>
      `${node.name}${node.isSelf ? ' (this)' : ''}${isWhole ? '' : ' (fetching)'}${node.hasConsent ? '' : ' (new)'}`,
  );
  return formatSome(names, NAMED_HOLDERS);
}
