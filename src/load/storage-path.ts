import { utf8 } from "../base/mod.ts";

/**
 * Paths as DM writes them: plain ones and URLs of external storages, taken apart by the rules of Go's net/url, which decide DM's names of
 * directories.
 */
export interface StorageUrl {
  /** Lower case; empty for a plain path. */
  readonly scheme: string;
  readonly authority: string;
  /** Unescaped; of a plain path the text as it is. */
  readonly path: string;
  /** As it stands, without `?`; undefined when there is none. */
  readonly query: string | undefined;
}

/** Undefined for what Go cannot parse as a URL: a colon in the first segment, a broken escape, a control character. */
export function parseStorageUrl(raw: string): StorageUrl | undefined {
  // As BR does it, because secret keys in queries contain plus signs.
  const text = raw.replaceAll("+", "%2B");
  if (/[\x00-\x1f\x7f]/.test(text) || text.startsWith(":")) return undefined;
  const head = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(text);
  const scheme = head === null ? "" : head[1]!.toLowerCase();
  let rest = head === null ? text : head[2]!;
  const hash = rest.indexOf("#");
  if (hash >= 0) rest = rest.slice(0, hash);
  const mark = rest.indexOf("?");
  const query = mark < 0 ? undefined : rest.slice(mark + 1);
  if (mark >= 0) rest = rest.slice(0, mark);
  if (scheme === "" && !rest.startsWith("/") && rest.split("/")[0]!.includes(":")) return undefined;
  let authority = "";
  if (scheme !== "" && rest.startsWith("//")) {
    const slash = rest.indexOf("/", 2);
    authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    rest = slash < 0 ? "" : rest.slice(slash);
  }
  try {
    return { scheme, authority, path: decodeURIComponent(rest), query };
  } catch {
    return undefined;
  }
}

/** How Go prints a path into a URL: letters, digits and `-_.~$&+,/:;=@` as they are, everything else as escapes. */
function escapePath(path: string): string {
  let out = "";
  for (const byte of utf8(path)) {
    const char = String.fromCharCode(byte);
    out += /[A-Za-z0-9\-_.~$&+,/:;=@]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

/**
 * Adds a suffix to the path once: trailing slashes go, nothing is added where it stands already; of a URL the path is extended, its query
 * kept and the whole escaped again. Undefined when the path is no URL.
 */
export function appendToPath(raw: string, suffix: string): string | undefined {
  if (raw === "" || suffix === "") return raw;
  const url = parseStorageUrl(raw);
  if (url === undefined) return undefined;
  const trimmed = (url.scheme === "" ? raw : url.path).replace(/\/+$/, "");
  if (trimmed.endsWith(suffix)) return raw;
  if (url.scheme === "") return trimmed + suffix;
  const query = url.query === undefined ? "" : `?${url.query}`;
  return `${url.scheme}://${url.authority}${escapePath(trimmed + suffix)}${query}`;
}

/** Takes a suffix from the end of the path, where it stands. */
export function trimFromPath(raw: string, suffix: string): string | undefined {
  if (raw === "" || suffix === "") return raw;
  const url = parseStorageUrl(raw);
  if (url === undefined) return undefined;
  const without = (text: string): string => (text.endsWith(suffix) ? text.slice(0, -suffix.length) : text);
  if (url.scheme === "") return without(raw);
  const query = url.query === undefined ? "" : `?${url.query}`;
  return `${url.scheme}://${url.authority}${escapePath(without(url.path))}${query}`;
}

export function isS3Path(raw: string): boolean {
  return raw !== "" && parseStorageUrl(raw)?.scheme === "s3";
}

/** A path of this machine: no scheme, or `file`. The empty one is none. */
export function isLocalPath(raw: string): boolean {
  if (raw === "") return false;
  const scheme = parseStorageUrl(raw)?.scheme;
  return scheme === "" || scheme === "file" || scheme === "local";
}

/** The plain form of a local path; `file:///tmp/x` is `/tmp/x`. */
export function localPath(raw: string): string {
  const url = parseStorageUrl(raw);
  if (url === undefined || url.scheme === "") return raw;
  return url.authority === "" ? url.path : `${url.authority}${url.path}`;
}
