interface NodeProcess {
  getBuiltinModule?(name: 'node:events'): { setMaxListeners(count: number, target: EventTarget): void } | undefined;
}

/**
 * Keeps Node from warning of a leak where many listen to one signal on purpose; their number is bounded elsewhere. Browsers
 * have no such warning, and no module to ask.
 */
export function manyListeners(controller: AbortController): AbortController {
  const { process } = globalThis as { process?: NodeProcess };
  process?.getBuiltinModule?.('node:events')?.setMaxListeners(0, controller.signal);
  return controller;
}
