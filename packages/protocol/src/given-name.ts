import type { Release } from './entry.ts';

/** A model's alias, or else its name in a static registry. */
export function givenName({ alias, releases }: GivenNames): string | undefined {
  const [release] = releases ?? [];
  return alias ?? (release === undefined ? undefined : `${release.group}/${release.model}@${release.version}`);
}

export interface GivenNames {
  readonly alias?: string | undefined;
  readonly releases?: readonly Pick<Release, 'group' | 'model' | 'version'>[] | undefined;
}
