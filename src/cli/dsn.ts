import { LevinError } from "../base/mod.ts";

/** `mysql://user:password@host:port/` or Go's `user:password@tcp(host:port)/`. */
export function parseDsn(text: string): { host: string; port: number; user: string; password: string } {
  if (/^mysql:\/\//.test(text)) {
    const url = new URL(text);
    return {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(url.port || "4000"),
      user: decodeURIComponent(url.username) || "root",
      password: decodeURIComponent(url.password),
    };
  }
  const match = /^(?:([^:@]*)(?::(.*))?@)?tcp\((\[[^\]]+\]|[^:)]+)(?::(\d+))?\)(?:\/.*)?$/.exec(text);
  if (match === null) {
    throw new LevinError(
      "Levin:Command:ErrUsage",
      "Cannot use the DSN: expected mysql://user:password@host:port/ or user:password@tcp(host:port)/",
    );
  }
  const [, user, password, host, port] = match;
  return {
    host: host!.replace(/^\[|\]$/g, ""),
    port: Number(port ?? "4000"),
    user: user || "root",
    password: password ?? "",
  };
}
