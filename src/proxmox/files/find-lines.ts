/**
 * The indexes in `lines`, from `from` on, at which all of `wanted` follow each other; places may overlap. Takes time in
 * proportion to both lists (Knuth, Morris and Pratt), because both come from outside and one may nearly match everywhere.
 */
export function findLines(lines: readonly string[], wanted: readonly string[], from = 0): readonly number[] {
  if (wanted.length === 0) return [];
  const shorter = prefixLengths(wanted);
  const places: number[] = [];
  let matched = 0;
  for (let at = from; at < lines.length; at++) {
    while (matched > 0 && wanted[matched] !== lines[at]) matched = shorter[matched - 1] ?? 0;
    if (wanted[matched] === lines[at]) matched++;
    if (matched < wanted.length) continue;
    places.push(at + 1 - matched);
    matched = shorter[matched - 1] ?? 0;
  }
  return places;
}

/** For each beginning of the list: how many of its last lines are also its first ones, itself excepted. */
function prefixLengths(lines: readonly string[]): readonly number[] {
  const lengths = [0];
  let matched = 0;
  for (let at = 1; at < lines.length; at++) {
    while (matched > 0 && lines[matched] !== lines[at]) matched = lengths[matched - 1] ?? 0;
    if (lines[matched] === lines[at]) matched++;
    lengths.push(matched);
  }
  return lengths;
}
