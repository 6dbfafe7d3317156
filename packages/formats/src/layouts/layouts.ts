import { byContent } from './by-content.ts';
import { coreml } from './coreml.ts';
import { deeplabcut } from './deeplabcut.ts';
import { deepspeed } from './deepspeed.ts';
import { diffusers } from './diffusers.ts';
import { exported } from './exports.ts';
import { hub } from './hub.ts';
import { lightning } from './lightning.ts';
import { mlflow } from './mlflow.ts';
import { nnunet } from './nnunet.ts';
import { sleap } from './sleap.ts';
import { sleapNn } from './sleap-nn.ts';
import { torchDistributed } from './torch-distributed.ts';
import type { Layout } from './types.ts';
import { ultralytics } from './ultralytics.ts';
import { weights } from './weights.ts';

/**
 * Every layout that is recognised. The first that fits wins, so a tool's own configuration comes before a hub's
 * `config.json`, which many tools write, and weights alone come last.
 */
export const LAYOUTS: readonly Layout[] = [
  sleapNn,
  sleap,
  mlflow,
  ultralytics,
  nnunet,
  deeplabcut,
  exported,
  coreml,
  diffusers,
  hub,
  lightning,
  deepspeed,
  torchDistributed,
  weights,
  byContent,
];
