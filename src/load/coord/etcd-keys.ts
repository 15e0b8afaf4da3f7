import { fromHex, textOf, toHex, utf8 } from "../../base/mod.ts";

/** DM's prefixes. */
export const LOAD_TASK = "/dm-master/load-task/";
export const LIGHTNING_COORD = "/dm-master/lightning-coord/";
/** levin's own, which DM does not look at: who works on a source, that he lives, what he has sent. */
export const LEVIN_MEMBER = "/levin/load-member/";
export const LEVIN_ALIVE = "/levin/load-alive/";
export const LEVIN_SUMS = "/levin/load-sums/";

/** DM's key adapter: prefix, then each part as lower-case hex of its UTF-8, joined by slashes; one part alone ends with a slash. */
export function etcdKey(prefix: string, task: string, source?: string): string {
  const head = `${prefix}${toHex(utf8(task))}/`;
  return source === undefined ? head : `${head}${toHex(utf8(source))}`;
}

/** Task and source of a key; undefined for one that is none of the prefix. */
export function parseEtcdKey(prefix: string, key: string): { task: string; source: string } | undefined {
  const parts = key.startsWith(prefix) ? key.slice(prefix.length).split("/") : [];
  if (parts.length !== 2 || !parts.every((part) => /^([0-9a-f]{2})+$/.test(part))) return undefined;
  const [task, source] = parts.map((part) => textOf(fromHex(part)));
  return { task: task!, source: source! };
}
