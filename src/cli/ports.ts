import { type ErrorCode, LevinError } from "../base/mod.ts";

const PORT_MAX = 65_535;

/** A port of the command line; `least` is 0 where that means any free one. */
export function portOf(name: string, text: string, least: 0 | 1 = 1): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port >= least && port <= PORT_MAX) return port;
  throw new LevinError(
    "Levin:Command:ErrUsage",
    `Cannot use --${name} ${text}: a port is a whole number from ${least} to ${PORT_MAX}`,
  );
}

/** Addresses in a comma-separated list, without scheme; each must be HOST:PORT. `what` names the list in the error. */
export function addressList(text: string, what: string, code: ErrorCode = "Levin:Config:ErrInvalid"): string[] {
  const list = text
    .split(",")
    .map((one) =>
      one
        .trim()
        .replace(/^https?:\/\//, "")
        .replace(/\/+$/, ""),
    )
    .filter((one) => one !== "");
  for (const address of list) {
    const port = Number(/^(?:\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(address)?.[1] ?? -1);
    if (port >= 1 && port <= PORT_MAX) continue;
    throw new LevinError(code, `Cannot use ${what}: "${address}" must be HOST:PORT, the port from 1 to ${PORT_MAX}`);
  }
  return list;
}
