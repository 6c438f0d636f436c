/** What was studied along several axes, where places that came to the same are drawn as one. */

/** What a place of a study came to. */
export interface Placed<V> {
  /** By axis: the names that it stands for. */
  readonly at: readonly (readonly string[])[];
  readonly values: V;
}

/** Gathers what is alike, each where the first of its kind is. @param face - what must be the same. */
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
 * Makes one of the names of an axis that came to the same at every place of the other axes.
 * @param within - another axis: at each of its names by itself.
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
