import { namesIn } from "./schema-text.ts";
import type { SourceView } from "./source-model.ts";

/** Puts each view behind the views that its text names; views that name each other keep the order of their names. */
export function orderViews(views: readonly SourceView[]): SourceView[] {
  const sorted = [...views].sort((a, b) =>
    keyOf(a.sourceDatabase, a.create.name) < keyOf(b.sourceDatabase, b.create.name) ? -1 : 1,
  );
  const byKey = new Map(sorted.map((view) => [keyOf(view.sourceDatabase, view.create.name), view]));
  const done = new Set<SourceView>();
  const ordered: SourceView[] = [];
  const visit = (view: SourceView, above: readonly SourceView[]): void => {
    if (done.has(view) || above.includes(view)) return;
    for (const { database, name } of namesIn(view.create.text, view.create.sqlMode)) {
      const other = byKey.get(keyOf(database ?? view.sourceDatabase, name));
      if (other !== undefined && other !== view) visit(other, [...above, view]);
    }
    done.add(view);
    ordered.push(view);
  };
  for (const view of sorted) visit(view, []);
  return ordered;
}

function keyOf(database: string, name: string): string {
  return `${database.toLowerCase()}\0${name.toLowerCase()}`;
}
