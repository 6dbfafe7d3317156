import type { Hub, HubModel } from '@model-rtc/hub';
import { ModelRtcError } from '@model-rtc/protocol';
import type { TakeOptions } from './types.ts';

/** Small files that a repository has, and that a gated one gives to nobody without access. */
const PROBES = ['config.json', 'README.md', '.gitattributes'];
const MAX_PROBE_BYTES = 16 * 1024 * 1024;

/** What a hub says of the model. Where it wants a token and there is none, a person is asked for one. */
export async function askHub({
  hub,
  reference,
  askToken,
  signal,
}: TakeOptions): Promise<{ hub: Hub; model: HubModel }> {
  try {
    return { hub, model: await hub.model(reference, signal) };
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (!wantsToken(known) || askToken === undefined) throw known;
    const opened = await askToken(known);
    return { hub: opened, model: await opened.model(reference, signal) };
  }
}

/**
 * Finds out before the download whether this machine may have the files of a gated model. A person is asked for a token when there
 * is none.
 * @returns the hub to take the files from
 * @throws ModelRtcError `refused` with what to do
 */
export async function settleAccess(hub: Hub, model: HubModel, { askToken, signal }: TakeOptions): Promise<Hub> {
  const probe = probeOf(model);
  if (model.gated === false || probe === undefined) return hub;
  try {
    await hub.readText(model, probe, MAX_PROBE_BYTES, signal);
    return hub;
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (!wantsToken(known) || askToken === undefined) throw known;
    const opened = await askToken(known);
    await opened.readText(model, probe, MAX_PROBE_BYTES, signal);
    return opened;
  }
}

function probeOf({ files }: HubModel): string | undefined {
  const small = files.filter(({ size }) => size <= MAX_PROBE_BYTES);
  return small.find(({ path }) => PROBES.includes(path))?.path ?? small[0]?.path;
}

function wantsToken({ code, details }: ModelRtcError): boolean {
  return code === 'refused' && details?.problem === 'token_missing';
}
