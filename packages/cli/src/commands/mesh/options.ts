import { hostname } from 'node:os';
import { type Mesh, suggestNodeName } from '@model-rtc/mesh';
import { type ArgumentSpecs, textOption } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { nodeNameIn } from '../../console/environment.ts';
import { consentRule, usesMdns } from '../../console/settings.ts';
import { packageVersion } from '../../package.ts';

/** Which mesh a command is about. */
export const meshOption = {
  mesh: textOption('The mesh, where this machine joined several [the only one]', { completes: 'meshes' }),
} as const satisfies ArgumentSpecs;

/** @throws ModelRtcError `not_found_locally` when this machine joined no such mesh. */
export async function openNamedMesh(context: Context, name: string | undefined): Promise<Mesh> {
  const { openMesh } = await import('@model-rtc/mesh');
  const { paths } = await context.registry();
  return await openMesh({
    root: paths.root,
    name,
    log: context.log,
    agent: { name: await nodeName(context), version: packageVersion() },
    consentRule: await consentRule(context.home),
  });
}

/** What commands that change a mesh need to tell its members. */
export async function meshWork(context: Context, mesh: string | undefined) {
  const { paths } = await context.registry();
  const agent = { name: await nodeName(context), version: packageVersion() };
  return {
    root: paths.root,
    mesh,
    agent,
    usesMdns: await usesMdns(context.home),
    signal: context.signal,
    log: context.log,
  };
}

/** The name that other members see. @throws ModelRtcError `bad_argument` for a bad one in the environment */
export async function nodeName({ runtime }: Context, given?: string): Promise<string> {
  return given ?? (await nodeNameIn(runtime.env)) ?? suggestNodeName(hostname());
}

/** The first characters of a node's key, by which it is told from others of its name. */
export function shortKey(key: string): string {
  return key.slice(0, 8);
}
