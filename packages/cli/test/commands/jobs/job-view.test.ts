import { describe, expect, it } from '@jest/globals';
import type { JobEvent } from '@model-rtc/protocol';
import { lineText } from '../../../src/commands/jobs/job-text.ts';
import { JobView } from '../../../src/commands/jobs/job-view.ts';

const at = '2026-01-02T03:04:05.678Z';
let number = 0;
const log = (text: string, stream: 'stdout' | 'stderr' | 'worker' = 'stdout') => {
  number += 1;
  return { type: 'log', number, at, stream, text } as const;
};
const state = (name: 'queued' | 'running' | 'completed'): JobEvent => {
  number += 1;
  return { type: 'state', number, at, state: name };
};

function viewed(json = false, now = () => 0) {
  const notes: string[] = [];
  const events: object[] = [];
  const output = {
    json,
    note: (text: string) => void notes.push(text),
    event: (data: object) => void events.push(data),
  };
  return { view: new JobView(output, 'abcdefgh', now), notes, events };
}

describe('a line that a runner printed', () => {
  it.each([
    ['frame 1\tof 2', 'frame 1    of 2'],
    ['\u001b[32mgreen\u001b[0m', 'green'],
    ['\u001b]0;a title\u0007text', 'text'],
    ['\u001b]8;;https://example.org\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['\u001b[2J\u001b[Hwiped', 'wiped'],
    ['bell\u0007', 'bell\u{fffd}'],
    ['turned \u202e round', 'turned \u{fffd} round'],
  ])('does nothing to a terminal: %j', (text, shown) => {
    expect(lineText(log(text))).toBe(shown);
  });

  it('says which are of the worker itself', () => {
    expect(lineText(log('a link was left out', 'worker'))).toBe('[worker] a link was left out');
  });
});

describe('the view of a job', () => {
  it('shows lines in order, and what the job does', () => {
    const { view, notes } = viewed();
    view.show([state('running'), log('one'), log('two', 'stderr')]);
    view.show([state('completed')]);
    expect(notes).toEqual(['Running.\none\ntwo']);
  });

  it('keeps the last lines for those who saw none', () => {
    const { view } = viewed();
    view.show(Array.from({ length: 100_000 }, (_, i) => log(`line ${i}`)));
    expect(view.lastLines).toHaveLength(10);
    expect(view.lastLines.at(-1)).toBe('line 99999');
  });

  it('shows nothing while a question is on the terminal, and all of it afterwards', () => {
    const { view, notes } = viewed();
    const goOn = view.hold();
    view.show([log('one')]);
    view.show([log('two')]);
    expect(notes).toEqual([]);
    goOn();
    view.show([log('three')]);
    expect(notes).toEqual(['one\ntwo', 'three']);
  });

  it('says now and then how far a job is, and what it takes', () => {
    let nowMs = 0;
    const { view, notes } = viewed(false, () => nowMs);
    const usage = (memoryBytes: number): JobEvent => {
      number += 1;
      return { type: 'usage', number, at, cpuSeconds: 55, memoryBytes };
    };
    view.show([{ type: 'progress', number: 1, at, fraction: 0.425, text: '42.5%' }, usage(1e9)]);
    expect(notes).toEqual([]);
    nowMs = 30_000;
    view.show([usage(2e9), usage(3e9)]);
    expect(notes).toEqual(['[42%, 55s of processor time, 2 GB memory]']);
  });

  it('gives programs every event as it came', () => {
    const { view, notes, events } = viewed(true);
    const event = log('\u001b[32mgreen');
    view.show([event]);
    view.position(2);
    expect(notes).toEqual([]);
    expect(events).toEqual([
      { event: 'job', job: 'abcdefgh', ...event },
      { event: 'job', job: 'abcdefgh', type: 'position', position: 2 },
    ]);
  });
});
