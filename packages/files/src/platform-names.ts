import { ModelRtcError, windowsPathProblem } from '@model-rtc/protocol';

/**
 * Requires that this machine's file systems can have files of these names, before any of them arrives.
 * @param platform - as `process.platform` names it
 * @throws ModelRtcError `refused` on Windows, for a name that others can have
 */
export function requireNames(
  files: Iterable<{ readonly path: string }>,
  platform: NodeJS.Platform = process.platform,
): void {
  if (platform !== 'win32') return;
  for (const { path } of files) {
    const problem = windowsPathProblem(path);
    if (problem === undefined) continue;
    const sentence = `Windows cannot have a file of this name: ${problem}. Rename it where it comes from, and run the command again.`;
    throw new ModelRtcError('refused', sentence, { details: { path } });
  }
}
