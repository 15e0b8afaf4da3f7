import { getBuiltinModule, memoryUsage } from "node:process";

type Collect = () => unknown;

let found: Collect | undefined;

/**
 * Collects all of this thread's garbage at once, where the runtime can be asked: Bun, and others that were started so that they offer `gc`.
 * Bun lets as much garbage gather as there is that lives, and takes buffers for living heap. Only where more than `aboveBytes` of the process
 * are resident: below there is room for garbage.
 */
export function collectGarbage(aboveBytes = 0): void {
  if (aboveBytes > 0 && memoryUsage.rss() <= aboveBytes) return;
  found ??= find() ?? (() => undefined);
  found();
}

function find(): Collect | undefined {
  const ofBun = getBuiltinModule("bun:jsc") as { fullGC?: Collect } | undefined;
  return ofBun?.fullGC ?? (globalThis as { gc?: Collect }).gc;
}
