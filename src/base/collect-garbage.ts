import { getBuiltinModule } from "node:process";

type Collect = () => unknown;

let found: Collect | undefined;

/**
 * Collects all of this thread's garbage at once, where the runtime can be asked: Bun, and others that were started so that they offer `gc`.
 * Bun lets as much garbage gather as there is that lives, and takes buffers for living heap.
 */
export function collectGarbage(): void {
  found ??= find() ?? (() => undefined);
  found();
}

function find(): Collect | undefined {
  const ofBun = getBuiltinModule("bun:jsc") as { fullGC?: Collect } | undefined;
  return ofBun?.fullGC ?? (globalThis as { gc?: Collect }).gc;
}
