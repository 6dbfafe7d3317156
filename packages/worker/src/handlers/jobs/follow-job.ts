import type { Jobs } from '@model-rtc/jobs';
import type { JobEvent, Params, ResultInput } from '@model-rtc/protocol';
import type { RequestContext } from '@model-rtc/transport';

/** An event message has at most 64 KiB. As JSON events are never much shorter than on the wire. */
const MAX_EVENTS_BYTES = 40 * 1024;

/** Sends a job's events, no faster than the client takes them, until the job has ended. */
export async function followJob(
  jobs: Pick<Jobs, 'events' | 'get'>,
  owner: string,
  { id, fromEvent, wait }: Params<'follow_job'>,
  context: Pick<RequestContext<'follow_job'>, 'emit' | 'signal'>,
): Promise<ResultInput<'follow_job'>> {
  for await (const events of jobs.events(owner, id, { fromEvent, wait, signal: context.signal })) {
    for (const part of partsOf(events)) await context.emit({ events: part });
  }
  return { job: await jobs.get(owner, id) };
}

/** Cuts a list of events into messages. */
function* partsOf(events: readonly JobEvent[]): Iterable<JobEvent[]> {
  let part: JobEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event));
    if (part.length > 0 && bytes + size > MAX_EVENTS_BYTES) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(event);
    bytes += size;
  }
  if (part.length > 0) yield part;
}
