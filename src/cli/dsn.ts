import { LevinError } from "../base/mod.ts";

interface Address {
  host: string;
  port: number;
  user: string;
  password: string;
}

/** `mysql://user:password@host:port/` or Go's `user:password@tcp(host:port)/`. The error does not show it: there may be a password in it. */
export function parseDsn(text: string): Address {
  const found = /^mysql:\/\//.test(text) ? fromUrl(text) : fromGo(text);
  if (found !== undefined) return found;
  throw new LevinError(
    "Levin:Command:ErrUsage",
    "Cannot use the DSN: expected mysql://user:password@host:port/ or user:password@tcp(host:port)/",
  );
}

function fromUrl(text: string): Address | undefined {
  try {
    const url = new URL(text);
    return {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: portOfDsn(url.port || "4000"),
      user: decodeURIComponent(url.username) || "root",
      password: decodeURIComponent(url.password),
    };
  } catch {
    // No URL, or an escape in it that is none.
    return undefined;
  }
}

function fromGo(text: string): Address | undefined {
  const match = /^(?:([^:@]*)(?::(.*))?@)?tcp\((\[[^\]]+\]|[^:)]+)(?::(\d+))?\)(?:\/.*)?$/.exec(text);
  if (match === null) return undefined;
  const [, user, password, host, port] = match;
  return {
    host: host!.replace(/^\[|\]$/g, ""),
    port: portOfDsn(port ?? "4000"),
    user: user || "root",
    password: password ?? "",
  };
}

/** A port that no server can have would end as one that refuses. */
function portOfDsn(text: string): number {
  const port = Number(text);
  if (port >= 1 && port <= 65_535) return port;
  throw new LevinError("Levin:Command:ErrUsage", `Cannot use the DSN: its port ${text} is not from 1 to 65535`);
}
