/** Results along several axes. Places with equal results are drawn as one. */

/** The result at one place of a study. */
export interface Placed<V> {
  /** By axis: the names that the place stands for. */
  readonly at: readonly (readonly string[])[];
  readonly values: V;
}

/** Groups equal items, in the order of each group's first. @param face - what must be equal. */
export function alike<T>(items: readonly T[], face: (item: T) => unknown): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = JSON.stringify(face(item));
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}

/**
 * Joins names of an axis that have the same results at every place of the other axes.
 * @param within - another axis: join separately at each of its names.
 */
export function merged<V>(places: readonly Placed<V>[], axis: number, within?: number): Placed<V>[] {
  if (within !== undefined) {
    return alike(places, ({ at }) => at[within]).flatMap((part) => merged(part, axis));
  }
  const byName = alike(places, ({ at }) => at[axis]);
  const groups = alike(byName, (part) =>
    part.map(({ at, values }) => [at.filter((_, other) => other !== axis), values]),
  );
  const names = new Map(
    groups.map(([first, ...more]) => {
      const all = [first!, ...more].flatMap((part) => part[0]!.at[axis]!);
      return [JSON.stringify(first![0]!.at[axis]), all];
    }),
  );
  return places.flatMap((place) => {
    const all = names.get(JSON.stringify(place.at[axis]));
    return all === undefined ? [] : [{ ...place, at: place.at.with(axis, all) }];
  });
}
