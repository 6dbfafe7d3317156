import type { ModelsContext } from '@model-rtc/model-manager';
import { PROGRAM } from '../../command-line/types.ts';
import { agentLimits } from '../../console/agent-limits.ts';
import { confirm } from '../../console/ask.ts';
import type { Context } from '../../console/context.ts';
import { sessionToken } from '../../console/session-argument.ts';
import { storageCap } from '../../console/storage-cap.ts';

/** What the commands under `models` run with here: the registry and the output of model-rtc. */
export function modelsContext(context: Context): ModelsContext {
  const { output, runtime, signal, home, log } = context;
  context.explainCancel('Cancelled. What has arrived is kept: run the same command again to resume.');
  return {
    program: `${PROGRAM} models`,
    env: runtime.env,
    json: output.json,
    quiet: output.isQuiet,
    events: output.events,
    stderr: runtime.stderr,
    signal,
    async manager(url, trustKeys) {
      const [{ ModelManager }, { givenPublicKeys }] = await Promise.all([
        import('@model-rtc/model-manager'),
        import('@model-rtc/static-registry'),
      ]);
      const { env } = runtime;
      const registryUrl = url ?? env.MODEL_RTC_REGISTRY_URL;
      const pinKeys = await givenPublicKeys(trustKeys, env);
      const config = { appName: PROGRAM, dataDir: home, registryUrl, env, pinKeys };
      return new ModelManager(config, {
        logger: log,
        limits: await agentLimits(home),
        storage: await storageCap(context),
      });
    },
    result: (data, text) => output.result(data, text),
    confirm: (text) => confirm(context, { text, flag: '--yes' }),
    sessions: (texts) => Promise.all([...texts].map((text) => sessionToken(context, text, { fetch: {} }))),
  };
}
