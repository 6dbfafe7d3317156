import type { ModelProgress } from '@model-rtc/client';
import { NO_COUNTS, type ProgressCounts, type ProgressEvent, type ProgressEvents } from '@model-rtc/protocol';

const LOCAL_STATES = { convert: 'preparing', hash: 'preparing', copy: 'transferring', verify: 'verifying' } as const;

/** Tells programs of a step of long work. */
export function tellProgress(events: ProgressEvents, progress: ModelProgress): void {
  if (progress.type === 'worker') {
    const { name, state, reason } = progress;
    events.tellWorker({ event: 'worker', worker: name, state, reason });
  } else events.tell(eventOf(progress, events.counts));
}

function eventOf(progress: Exclude<ModelProgress, { type: 'worker' }>, counts: ProgressCounts): ProgressEvent {
  const event = 'progress';
  switch (progress.type) {
    case 'transfer':
    case 'remote': {
      const { type: _, state, secondsLeft = null, ...told } = progress;
      return { event, state: stateOf(state), ...told, secondsLeft };
    }
    case 'local': {
      const { phase, doneBytes, totalBytes } = progress;
      return { event, state: LOCAL_STATES[phase], phase, ...NO_COUNTS, doneBytes, totalBytes };
    }
    case 'connecting':
      return { event, state: 'connecting', ...counts };
    case 'reconnecting': {
      const standing = { ...counts, bytesPerSecond: 0, secondsLeft: null, lanes: [] };
      return { event, state: 'connecting', reason: 'network_error', message: progress.reason, ...standing };
    }
    case 'waiting':
      return { event, state: 'preparing', reason: 'waiting_for_worker', message: progress.reason, ...counts };
    case 'source_changed':
      return { event, state: 'preparing', reason: 'source_changed', message: progress.reason, ...counts };
  }
}

/** A newer worker may send states that this version does not know. */
function stateOf(state: string): ProgressEvent['state'] {
  const known = ['preparing', 'transferring', 'verifying'] as const;
  // The model is only completed once it is installed here.
  return known.find((one) => one === state) ?? (state === 'completed' ? 'verifying' : 'preparing');
}
