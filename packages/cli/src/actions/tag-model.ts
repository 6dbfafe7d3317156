import { parseAlias } from '@model-rtc/protocol';
import type { Context } from '../console/context.ts';

export async function tagModel(context: Context, ref: string, alias: string): Promise<void> {
  const registry = await context.registry();
  const entry = await registry.tag(ref, parseAlias(alias));
  context.output.result({ entry }, `${entry.id} is now ${entry.alias}`);
}
