/** Prints what is loaded when a program imports the library, and when it has pulled a model: `loaded.ts REGISTRY FOLDER`. */
import { createRequire, register } from 'node:module';
import { MessageChannel } from 'node:worker_threads';

const { port1, port2 } = new MessageChannel();
const urls: string[] = [];
port1.on('message', (url: string) => urls.push(url));
port1.unref();
const hooks = `let port;
export function initialize(given) { port = given; }
export async function load(url, context, next) { port.postMessage(url); return next(url, context); }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: port2, transferList: [port2] });

const { ModelManager } = await import('../../src/index.ts');
const [registryUrl, dataDir] = process.argv.slice(2);
const manager = new ModelManager({ appName: 'mytool', registryUrl, dataDir });
await manager.pull('fast-whisper/tiny@fp16');
await manager.listRemote();
// A turn of the loop, in which the last messages arrive.
await new Promise((resolve) => setTimeout(resolve, 100));
const required = Object.keys(createRequire(import.meta.url).cache);
process.stdout.write(`${JSON.stringify([...urls, ...required])}\n`);
