import { type CallExpr, type Expr, walkExpr } from "../../../schema/mod.ts";
import { evaluate } from "../query/evaluate.ts";
import type { SelectScope } from "../query/select.ts";
import { NULL_VALUE, stringOf, type Value } from "../query/values.ts";
import { scopeOf } from "./scope.ts";
import type { SessionState } from "./state.ts";

/** TiDB waits an hour for a negative time, and for longer ones. */
const LOCK_WAIT_MS_MAX = 3_600_000;

/**
 * Waits for what the calls of GET_LOCK and SLEEP in expressions wait for, in their order; what is returned is to be evaluated in: an
 * expression itself cannot wait. SLEEP gives 1 there where KILL QUERY ended a wait.
 */
export async function waitedFor(exprs: readonly (Expr | undefined)[], state: SessionState): Promise<SelectScope> {
  const calls: CallExpr[] = [];
  for (const expr of exprs) {
    if (expr === undefined) continue;
    walkExpr(expr, (one) => {
      if (one.kind === "call" && (one.name === "get_lock" || one.name === "sleep")) calls.push(one);
    });
  }
  const scope = scopeOf(state);
  for (const { name, args } of calls) {
    const [first = NULL_VALUE, second = NULL_VALUE] = args.map((arg) => evaluate(arg, scope));
    if (name === "get_lock") await takeLock(first, second, state);
    else if (await isSleepInterrupted(first, state)) scope.functions["sleep"] = () => "1";
  }
  return scope;
}

/** NULL and what is no number: none. */
function msOf({ text }: Value): number {
  return text === null ? 0 : (Number.parseFloat(stringOf(text)) || 0) * 1000;
}

async function takeLock(name: Value, seconds: Value, state: SessionState): Promise<void> {
  if (name.text === null) return;
  const ms = msOf(seconds);
  const waitMs = ms < 0 ? LOCK_WAIT_MS_MAX : Math.min(LOCK_WAIT_MS_MAX, ms);
  await state.userLocks.take(stringOf(name.text), waitMs, state.stop.signal);
}

async function isSleepInterrupted(seconds: Value, state: SessionState): Promise<boolean> {
  const ms = msOf(seconds);
  if (ms <= 0) return false;
  const { signal } = state.stop;
  try {
    await state.front.clock.sleep(ms, signal);
    return false;
  } catch (error) {
    if (signal.aborted) return true;
    throw error;
  }
}
