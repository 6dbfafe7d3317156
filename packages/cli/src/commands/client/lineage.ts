import { formatBytes } from '@model-rtc/protocol';
import type { Lineage, LineageLink, RegistryEntry } from '@model-rtc/registry';
import { defineCommand } from '../../command-line/types.ts';
import { formatModel, printable } from '../../console/format.ts';
import { localModel } from '../options.ts';

export const lineage = defineCommand({
  usage: 'lineage <ref>',
  describe: 'Show what a model was made from, and what was made from it',
  positionals: { ref: localModel },
  examples: [['$0 client lineage good-mouse-v2', 'parents, the chain of fine-tunings, children']],
  async run(context, { ref }) {
    const registry = await context.registry();
    const found = await registry.lineage(ref);
    context.output.result(found, lineageText(found).join('\n'));
  },
});

/** The chain is drawn downwards from the model to its oldest known ancestor. */
function lineageText({ entry, parents, ancestors, children }: Lineage): string[] {
  const merged = parents.length > 1 ? ['Merged from:', ...parents.map((link) => `  ${linkText(link)}`)] : [];
  const chain = ancestors.map((link, depth) => `${'  '.repeat(depth + 1)}from ${linkText(link)}`);
  return [
    modelText(entry),
    ...(chain.length === 0 ? ['  no record of what it was made from'] : chain),
    ...merged,
    ...(children.length === 0 ? [] : ['Made from it:', ...children.map((child) => `  ${modelText(child)}`)]),
  ];
}

function modelText(entry: RegistryEntry): string {
  return `${formatModel(entry)}, ${entry.modelType}, ${formatBytes(entry.size)}`;
}

function linkText({ name, entry }: LineageLink): string {
  return entry === undefined ? `${printable(name)}, which is not on this machine` : modelText(entry);
}
