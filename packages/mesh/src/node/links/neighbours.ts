/** Connections that a node keeps: news crosses a mesh of 10,000 in some six steps. */
const NEIGHBOURS = 5;

export interface NeighbourChoice {
  readonly current: readonly string[];
  /** Whether it could not be reached lately. */
  readonly isDoubtful: (key: string) => boolean;
  readonly random: () => number;
}

/** Whom to be connected with: those of before while they can be reached, and others by chance, so that a mesh hangs together. */
export function chooseNeighbours(
  reachable: readonly string[],
  { current, isDoubtful, random }: NeighbourChoice,
): string[] {
  const kept = current.filter((key) => reachable.includes(key) && !isDoubtful(key));
  const placeOf = (key: string): number => {
    if (!isDoubtful(key)) return random();
    return current.includes(key) ? 1 : 2 + random();
  };
  const others = reachable.filter((key) => !kept.includes(key)).map((key) => ({ key, place: placeOf(key) }));
  others.sort((a, b) => a.place - b.place);
  return [...kept, ...others.map(({ key }) => key)].slice(0, NEIGHBOURS);
}
