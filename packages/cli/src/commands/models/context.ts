import type { ModelsContext } from '@model-rtc/model-manager';
import { PROGRAM } from '../../command-line/types.ts';
import { confirm } from '../../console/ask.ts';
import type { Context } from '../../console/context.ts';
import { sessionToken } from '../../console/session-argument.ts';

/** What the commands under `models` run with here: the registry and the output of model-rtc. */
export function modelsContext(context: Context): ModelsContext {
  const { output, runtime, signal, home, log } = context;
  context.explainCancel('Cancelled. What has arrived is kept: run the same command again to resume.');
  return {
    program: `${PROGRAM} models`,
    json: output.json,
    quiet: output.isQuiet,
    stderr: runtime.stderr,
    signal,
    async manager(url) {
      const { ModelManager } = await import('@model-rtc/model-manager');
      const { env } = runtime;
      const registryUrl = url ?? env.MODEL_RTC_REGISTRY_URL;
      return new ModelManager({ appName: PROGRAM, dataDir: home, registryUrl, env }, { logger: log });
    },
    result: (data, text) => output.result(data, text),
    confirm: (text) => confirm(context, { text, flag: '--yes' }),
    sessions: (texts) => Promise.all([...texts].map((text) => sessionToken(context, text))),
  };
}
