/** Body of the worker of threads.test.ts: writes its share of pairs as runs into an engine that the main thread owns. */
import { parentPort, workerData } from "node:worker_threads";
import { openEngine } from "../../src/engine/mod.ts";
import { randomPairs, sortedUnique, writePairs } from "./pairs.ts";

const { dir, blocks, part } = workerData as { dir: string; blocks: "map" | "files"; part: number };
const engine = await openEngine({ name: `writer ${part}`, store: { dir, blocks }, role: "writer", blockBytes: 1000 });
const pairs = sortedUnique(randomPairs("record", 3000, 5)).filter((_, i) => i % 2 === part);
const runs = await writePairs(engine, pairs.toReversed(), 16 * 1024, part * 1000);
await engine.close();
parentPort?.postMessage(runs);
