import { inParallel, LevinError } from "../base/mod.ts";
import type { Check, Finding } from "./check.ts";

const CHECK = "target-empty";

/** Tables have no row before their first pair goes in; those that an earlier run of this job has begun are its own. */
export const targetEmpty: Check = async ({ tables, target, touched, signal }) => {
  if (target === undefined)
    return [{ check: CHECK, status: "skipped", detail: "no target is named, or its tables may have rows" }];
  const left = tables.filter(({ name, isKnown }) => isKnown && !touched.has(name));
  const notEmpty: string[] = [];
  await inParallel(left, target.connectionsMax, async ({ database, table, name }) => {
    signal.throwIfAborted();
    if (!(await target.isEmpty(database, table))) notEmpty.push(name);
  });
  return notEmpty.sort().map((name): Finding => {
    const detail = `Cannot import: the target's table "${name}" must be empty`;
    const cause = new LevinError("Levin:Check:ErrTargetNotEmpty", detail, { fields: { table: name } });
    return { check: CHECK, status: "failed", detail, cause };
  });
};
