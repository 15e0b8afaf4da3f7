/** Edit distance, where two neighbours that changed places are one edit. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) next[j] = Math.min(next[j]!, before[j - 2]! + 1);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}

/** The sum of the parts' distances; undefined where one is too far off: more than one edit in four letters, or one in a short word. */
function near(given: readonly string[], name: readonly string[]): number | undefined {
  if (given.length !== name.length) return undefined;
  let sum = 0;
  for (let i = 0; i < given.length; i++) {
    const d = distance(given[i]!, name[i]!);
    if (d > Math.max(1, Math.floor(given[i]!.length / 4))) return undefined;
    sum += d;
  }
  return sum;
}

/** The known name that is nearest to a mistyped one, part by part where dots divide it; undefined where none is near. */
export function nearestOf(given: string, known: Iterable<string>): string | undefined {
  const parts = given.split(".");
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const d = near(parts, name.split("."));
    if (d === undefined || d >= bestDistance) continue;
    best = name;
    bestDistance = d;
  }
  return best;
}
