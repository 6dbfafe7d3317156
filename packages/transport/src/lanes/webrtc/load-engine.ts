import { ModelRtcError } from '@model-rtc/protocol';
import type { EngineName, WebRtcEngine } from './engine.ts';
import { loadNativeEngine } from './native.ts';

/**
 * @param choice `auto` takes the native engine where it loads, else werift
 * @throws ModelRtcError `bad_argument` when `native` is asked for and does not load
 */
export async function loadEngine(choice: 'auto' | EngineName): Promise<WebRtcEngine> {
  if (choice !== 'werift') {
    const native = await loadNativeEngine();
    if (native !== undefined) return native;
    if (choice === 'native') {
      throw new ModelRtcError(
        'bad_argument',
        'The native WebRTC engine is not installed or does not load on this machine; install the package "node-datachannel", or choose the engine "werift".',
      );
    }
  }
  // Loaded only where it is used: it takes a good part of a second.
  const { createWeriftEngine } = await import('./werift.ts');
  return createWeriftEngine();
}
