import { ModelRtcError } from '@model-rtc/protocol';
import type { ValuesOf } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { agentOptions, namedSessions } from '../connect.ts';
import type { consentOption, networkOptions, safeOnlyOption } from '../options.ts';
import { refuseGiven } from '../refuse-given.ts';
import type { registryOptions } from '../static-registry.ts';
import { type GivenImportOptions, importOptions } from './import-model/options.ts';
import type { transferOptions } from './transfer.ts';

/** What `pull-model hf:ORG/NAME` takes, as `import-model` does. */
export const hubOptions = {
  include: { ...importOptions.include, describe: 'From a hub: take files that would be left out; a name or glob' },
  exclude: { ...importOptions.exclude, describe: 'From a hub: leave files out; counts before --include' },
  'accept-license': importOptions['accept-license'],
  'token-file': importOptions['token-file'],
  'arch-any': importOptions['arch-any'],
} as const;

type PullOptions = ValuesOf<typeof hubOptions> &
  ValuesOf<typeof networkOptions> &
  ValuesOf<typeof transferOptions> &
  ValuesOf<typeof safeOnlyOption> &
  ValuesOf<typeof consentOption> &
  ValuesOf<typeof registryOptions> & {
    readonly ref: string;
    readonly alias: string | undefined;
    readonly worker: ReadonlySet<string> | undefined;
  };

/** What only counts for files on this disk, or is asked in another way. */
const NOT_GIVEN = {
  ...{ modelType: undefined, name: undefined, notes: undefined, parent: undefined, convert: undefined },
  ...{ revision: undefined, aliasConflict: undefined, tag: undefined, copy: false, withTrainingState: false },
  ...{ followLinks: false, all: false, asOne: false, asIs: false, allowIncomplete: false, yes: false },
} as const;

/** Takes a model from a hub, and from the workers that have files of it. */
export async function pullFromHub(context: Context, options: PullOptions): Promise<void> {
  if (options.registry !== undefined) throw notTogether('--registry', 'Name the model GROUP/MODEL@VERSION instead.');
  if (options.dryRun) throw notTogether('--dry-run', 'client import-model shows what it needs before it fetches.');
  const { connectAll } = await import('@model-rtc/client');
  const { importFromHub } = await import('./import-model/from-hub.ts');
  const {
    ref,
    alias,
    worker = new Set<string>(),
    aliasConflict,
    include,
    exclude,
    acceptLicense,
    tokenFile,
    archAny,
    safeOnly,
  } = options;
  const isNamed = worker.size > 0 || context.runtime.env.MODEL_RTC_SESSION !== undefined;
  const sessions = isNamed ? await namedSessions(context, worker, { fetch: { consent: options.consent } }) : [];
  await using group = connectAll({ ...(await agentOptions(context, options)), sessions });
  const given: GivenImportOptions = {
    ...NOT_GIVEN,
    ...{ path: ref, alias, include, exclude, acceptLicense, tokenFile, archAny, safeOnly },
    ifExists: aliasConflict === 'keep' ? 'rename' : aliasConflict,
    priority: options.priority,
  };
  const { limit, nice, compress } = options;
  // Where no worker is named, the one in the environment counts, if there is one.
  const named = isNamed ? (worker.size > 0 ? worker : [undefined]) : [];
  await importFromHub(context, given, { workers: group.workers, sessions: named, limit, nice, compress });
}

/** @throws ModelRtcError `bad_argument` for an option that only counts for a hub */
export function refuseHubOptions(options: ValuesOf<typeof hubOptions>): void {
  const sentence = (option: string) => `${option} is for models from a hub. Leave it out, or name one: hf:ORG/NAME.`;
  refuseGiven(options, ['include', 'exclude', 'acceptLicense', 'tokenFile', 'archAny'], sentence);
}

function notTogether(option: string, hint: string): ModelRtcError {
  const sentence = `${option} cannot be used with a model from a hub. ${hint}`;
  return new ModelRtcError('bad_argument', sentence, { details: { option } });
}
