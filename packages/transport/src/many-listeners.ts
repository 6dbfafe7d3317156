import { setMaxListeners } from 'node:events';

/** Keeps Node from warning of a leak where many listen to one signal on purpose; their number is bounded elsewhere. */
export function manyListeners(controller: AbortController): AbortController {
  setMaxListeners(0, controller.signal);
  return controller;
}
