import type { RevisionReport } from '@model-rtc/client';
import type { RegistryEntry } from '@model-rtc/registry';
import { defineCommand, textOption } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { formatCount, printable, shortName } from '../../console/format.ts';
import { tokenFileOption } from '../options.ts';
import { sayBusy } from './import-model/from-hub.ts';

const SHOWN_COMMIT_CHARS = 7;

export const update = defineCommand({
  usage: 'update [ref]',
  describe: 'Say which models from a hub have a newer revision there; nothing is fetched',
  positionals: {
    ref: textOption('A model on this machine [all that come from a hub]', { completes: 'models' }),
  },
  options: tokenFileOption,
  examples: [
    ['$0 client update', 'ask for all models that come from a hub'],
    ['$0 client update qwen2.5-0.5b', 'ask for one'],
  ],
  async run(context, { ref, tokenFile }) {
    const registry = await context.registry();
    const known = await registry.fromHub();
    const entries = ref === undefined ? known : [(await registry.resolve(ref)).entry];
    const { openHub } = await import('@model-rtc/hub');
    const { findNewer } = await import('@model-rtc/client');
    const hub = openHub({ env: context.runtime.env, tokenFile, onBusy: sayBusy(context) });
    const reports = await findNewer(hub, entries, known, context.signal);
    context.output.result({ models: reports.map(asData) }, textOf(context, reports, entries.length));
  },
});

function asData({ entry, state, newest, supersededBy, error }: RevisionReport): object {
  const { id, alias, name, hub } = entry;
  return {
    id,
    alias,
    name,
    hub,
    state,
    newest: newest ?? null,
    supersededBy: supersededBy?.id ?? null,
    error: error?.toData() ?? null,
  };
}

function textOf({ output }: Context, reports: readonly RevisionReport[], asked: number): string {
  if (reports.length === 0) {
    return asked === 0 ? 'No model here comes from a hub.' : 'It does not come from a hub.';
  }
  const newer = reports.filter(({ state }) => state === 'newer').length;
  if (newer > 0)
    output.note(
      `${formatCount(newer, 'model')} can be updated. --if-exists overwrite gives the new one the name; the old one stays, without it.`,
    );
  return reports.map(lineOf).join('\n');
}

function nameOf(entry: RegistryEntry | undefined): string {
  return entry === undefined ? '' : printable(entry.name ?? shortName(entry));
}

function lineOf({ entry, state, newest, supersededBy, error }: RevisionReport): string {
  const { hub } = entry;
  const { repo, revision, commit } = hub;
  const what = `${nameOf(entry)}: ${printable(repo)} at ${commit.slice(0, SHOWN_COMMIT_CHARS)}`;
  const reference = printable(`hf:${repo}${revision === undefined ? '' : `@${revision}`}`);
  const branch = printable(revision ?? 'main');
  switch (state) {
    case 'current':
      return `${what}, the newest of ${branch}`;
    case 'newer':
      return `${what}; ${branch} is at ${newest?.slice(0, SHOWN_COMMIT_CHARS)} now. Get it: model-rtc client import-model ${reference} --if-exists overwrite`;
    case 'superseded':
      return `${what}; ${branch} is at ${newest?.slice(0, SHOWN_COMMIT_CHARS)} now, which is here as ${nameOf(supersededBy)}`;
    case 'pinned':
      return `${what}, which it is pinned to`;
    case 'elsewhere':
      return `${what}, of another hub (${printable(hub.endpoint ?? 'the public one')}). Set HF_ENDPOINT to ask it.`;
    case 'unknown':
      return `${what}; not known whether there is a newer one: ${printable(error?.message ?? '')}`;
  }
}
