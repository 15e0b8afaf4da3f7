/** The script of a thread that ends as soon as it has something to do, as one does that has no memory left. */
import { parentPort } from "node:worker_threads";

parentPort!.on("message", () => {
  throw new Error("no memory is left");
});
