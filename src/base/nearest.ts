/** Edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The known name that is nearest to a mistyped one, at most four letters away; undefined where none is near. */
export function nearestOf(given: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  // Two letters changing places are two edits.
  const farthest = given.length < 4 ? 1 : Math.min(4, Math.max(2, Math.floor(given.length / 4)));
  let bestDistance = farthest + 1;
  for (const name of known) {
    const d = distance(given, name);
    if (d < bestDistance) {
      best = name;
      bestDistance = d;
    }
  }
  return best;
}
