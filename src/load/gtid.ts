/** One set of transactions in its normalised text, as DM's `gtid.Set.String()` gives it. */
export interface GtidSet {
  readonly flavor: "mysql" | "mariadb";
  readonly text: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/i;
const MARIADB = /^(\d+)-(\d+)-(\d+)$/;
const UINT32_MAX = 0xffffffffn;
const UINT64_MAX = 0xffffffffffffffffn;
const INT64_MAX = 0x7fffffffffffffffn;

type Interval = [first: bigint, last: bigint];

/** Parses a set of either flavor; undefined when it is neither. The empty text is the empty set of MySQL. */
export function parseGtidSet(text: string): GtidSet | undefined {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part, i, all) => part !== "" || all.length === 1 || i < all.length - 1);
  if (parts.length === 1 && parts[0] === "") return { flavor: "mysql", text: "" };
  const mariadb = parseMariadb(parts);
  if (mariadb !== undefined) return { flavor: "mariadb", text: mariadb };
  const mysql = parseMysql(parts);
  return mysql === undefined ? undefined : { flavor: "mysql", text: mysql };
}

/** `domain-server-sequence`, one a domain and server; the highest sequence stands. */
function parseMariadb(parts: readonly string[]): string | undefined {
  const highest = new Map<string, bigint>();
  for (const part of parts) {
    const match = MARIADB.exec(part);
    if (match === null) return undefined;
    const [domain, server, sequence] = [BigInt(match[1]!), BigInt(match[2]!), BigInt(match[3]!)];
    if (domain > UINT32_MAX || server > UINT32_MAX || sequence > UINT64_MAX) return undefined;
    const source = `${domain}-${server}`;
    const known = highest.get(source);
    if (known === undefined || known < sequence) highest.set(source, sequence);
  }
  const sets = [...highest].map(([source, sequence]) => `${source}-${sequence}`);
  return sets.sort().join(",");
}

/** `uuid:1-5:7`, since MySQL 8.3 also `uuid:tag:1-5`; intervals sorted and merged, uuids in lower case and sorted. */
function parseMysql(parts: readonly string[]): string | undefined {
  const bySource = new Map<string, Interval[]>();
  for (const part of parts) {
    const [uuid, ...rest] = part.split(":").map((word) => word.trim());
    if (!UUID.test(uuid!) || rest.length === 0) return undefined;
    let source = uuid!.toLowerCase();
    for (const word of rest) {
      if (TAG.test(word)) {
        source = `${uuid!.toLowerCase()}:${word.toLowerCase()}`;
        continue;
      }
      const interval = parseInterval(word);
      if (interval === undefined) return undefined;
      const known = bySource.get(source);
      if (known === undefined) bySource.set(source, [interval]);
      else known.push(interval);
    }
  }
  if (bySource.size === 0) return undefined;
  const sets = [...bySource].map(([source, intervals]) => `${source}:${intervalsText(merge(intervals))}`);
  return sets.sort().join(",");
}

function parseInterval(text: string): Interval | undefined {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const first = BigInt(match[1]!);
  const last = match[2] === undefined ? first : BigInt(match[2]);
  return first < 1n || last < first || last > INT64_MAX ? undefined : [first, last];
}

function merge(intervals: readonly Interval[]): Interval[] {
  const out: Interval[] = [];
  for (const [first, last] of [...intervals].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))) {
    const before = out.at(-1);
    if (before === undefined || first > before[1] + 1n) out.push([first, last]);
    else if (last > before[1]) before[1] = last;
  }
  return out;
}

function intervalsText(intervals: readonly Interval[]): string {
  return intervals.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(":");
}
