import { exported } from './exports.ts';
import { hub } from './hub.ts';
import { sleap } from './sleap.ts';
import { sleapNn } from './sleap-nn.ts';
import type { Layout } from './types.ts';
import { weights } from './weights.ts';

/**
 * Every layout that is recognised. The first that fits wins, so a tool's own configuration comes before a hub's
 * `config.json`, which many tools write, and weights alone come last.
 */
export const LAYOUTS: readonly Layout[] = [sleapNn, sleap, exported, hub, weights];
