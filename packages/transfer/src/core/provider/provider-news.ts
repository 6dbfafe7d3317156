/** What happened to one of the providers of a transfer, or to a node of one that has several. */
export interface ProviderNews {
  readonly name: string;
  /**
   * `serving`: it has the model, and gives it from now on. `absent`: it does not have it. `offline`: it cannot be reached, and
   * is retried. `busy`: it cannot tell yet whether it has the model, and is asked again. `lost`: its connection was lost, and
   * is made again. `dropped`: it is no longer used.
   */
  readonly state: 'serving' | 'absent' | 'offline' | 'busy' | 'lost' | 'dropped';
  readonly reason?: string | undefined;
}
