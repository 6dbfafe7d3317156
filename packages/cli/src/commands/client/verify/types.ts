import type { VerifiedModel } from '@model-rtc/registry';
import type { RepairDone } from '../repair.ts';

/** The outcome for one model. */
export interface VerifiedLine extends VerifiedModel {
  readonly repair?:
    | Pick<RepairDone, 'outcome' | 'from' | 'transferredBytes' | 'reusedBytes'>
    | { readonly outcome: 'failed'; readonly reason: string }
    | undefined;
}

export interface VerifyTotals {
  readonly models: number;
  readonly bytes: number;
  readonly damaged: number;
  readonly repaired: number;
  readonly orphans: number;
  readonly seconds: number;
}
