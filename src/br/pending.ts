/** What was appended and not yet written, printed on arrival so that its size is known and nothing of the caller's is kept. */
import { toHex, utf8 } from "../base/mod.ts";
import type { GoText } from "./json-text.ts";
import { printGroup, printLogItem, printRange, printRestoreItem } from "./print-items.ts";
import type { BackupRange, BrLayout, LogFile, RestoreItem } from "./shapes.ts";

export interface Pending<K, V> {
  /** Bytes of memory that the value takes, about. */
  add(key: K, value: V): number;
  /** The plain texts of all groups; the batch is empty afterwards. */
  take(): Uint8Array[];
}

/** What two keys of the same text have in common. */
function identity(key: GoText | bigint): string | bigint {
  return key instanceof Uint8Array ? `\ud800${toHex(key)}` : key;
}

const OVERHEAD_BYTES = 16;
const GROUP_BYTES = 200;

class PrintedPending<K extends GoText | bigint, V> implements Pending<K, V> {
  private groups = new Map<string | bigint, { key: K; items: string[] }>();
  private readonly print: (value: V) => string;

  constructor(print: (value: V) => string) {
    this.print = print;
  }

  add(key: K, value: V): number {
    const id = identity(key);
    const text = this.print(value);
    const group = this.groups.get(id);
    if (group !== undefined) {
      group.items.push(text);
      return text.length + OVERHEAD_BYTES;
    }
    this.groups.set(id, { key, items: [text] });
    return text.length + OVERHEAD_BYTES + GROUP_BYTES;
  }

  take(): Uint8Array[] {
    const texts = [...this.groups.values()].map(({ key, items }) => utf8(printGroup(key, items)));
    this.groups = new Map();
    return texts;
  }
}

export function pendingRanges(layout: BrLayout): Pending<GoText, BackupRange> {
  return new PrintedPending((range) => printRange(range, layout));
}

/** The group key is the id of the downstream table or partition. */
export function pendingRestoreItems(layout: BrLayout): Pending<bigint, RestoreItem> {
  return new PrintedPending((item) => printRestoreItem(item, layout));
}

interface LogGroup {
  key: GoText;
  goffs: Map<bigint, Map<bigint, bigint[]>>;
}

/** Files of log restore, put together by group, group offset and table. */
export function pendingLogFiles(): Pending<GoText, LogFile> {
  let groups = new Map<string | bigint, LogGroup>();
  return {
    add(key, { tableId, goff, foff }) {
      const id = identity(key);
      let added = OVERHEAD_BYTES + 8;
      let group = groups.get(id);
      if (group === undefined) {
        group = { key, goffs: new Map() };
        groups.set(id, group);
        added += GROUP_BYTES + key.length;
      }
      let tables = group.goffs.get(goff);
      if (tables === undefined) {
        tables = new Map();
        group.goffs.set(goff, tables);
        added += GROUP_BYTES;
      }
      const foffs = tables.get(tableId);
      if (foffs !== undefined) foffs.push(foff);
      else {
        tables.set(tableId, [foff]);
        added += GROUP_BYTES;
      }
      return added;
    },
    take() {
      const texts = [...groups.values()].map(({ key, goffs }) =>
        utf8(
          printGroup(
            key,
            [...goffs].map(([goff, foffs]) => printLogItem(goff, foffs)),
          ),
        ),
      );
      groups = new Map();
      return texts;
    },
  };
}
