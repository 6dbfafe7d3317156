import type { Lineage, LineageLink, RegistryEntry } from '@model-rtc/registry';
import type { Context } from '../console/context.ts';
import { formatBytes, printable } from '../console/format.ts';
import { nameOf } from './model-name.ts';

export async function showLineage(context: Context, ref: string): Promise<void> {
  const registry = await context.registry();
  const lineage = await registry.lineage(ref);
  context.output.result(lineage, lineageText(lineage).join('\n'));
}

/** The chain is drawn downwards from the model to its oldest known ancestor. */
function lineageText({ entry, parents, ancestors, children }: Lineage): string[] {
  const merged = parents.length > 1 ? ['Merged from:', ...parents.map((link) => `  ${describeLink(link)}`)] : [];
  const chain = ancestors.map((link, depth) => `${'  '.repeat(depth + 1)}from ${describeLink(link)}`);
  return [
    describe(entry),
    ...(chain.length === 0 ? ['  nothing is known of what it was made from'] : chain),
    ...merged,
    ...(children.length === 0 ? [] : ['Made from it:', ...children.map((child) => `  ${describe(child)}`)]),
  ];
}

function describe(entry: RegistryEntry): string {
  return `${nameOf(entry)}, ${entry.modelType}, ${formatBytes(entry.size)}`;
}

function describeLink({ name, entry }: LineageLink): string {
  return entry === undefined ? `${printable(name)}, which is not on this machine` : describe(entry);
}
