// Loaded into a process with --require: its date is off by as many milliseconds as a file says, and follows when that changes.
const { readFileSync } = require('node:fs');

const FILE = process.env.MODEL_RTC_TEST_CLOCK;
const READ_EACH_MS = 50;
const RealDate = Date;
let offsetMs = 0;
let readAtMs = Number.NEGATIVE_INFINITY;

function now() {
  if (performance.now() - readAtMs > READ_EACH_MS) {
    readAtMs = performance.now();
    offsetMs = Number(readFileSync(FILE, 'utf8'));
  }
  return RealDate.now() + offsetMs;
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args) => (args.length === 0 ? new target(now()) : new target(...args)),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
