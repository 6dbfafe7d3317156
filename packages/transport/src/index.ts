export type * from './lane.ts';
export * from './memory-lane.ts';
