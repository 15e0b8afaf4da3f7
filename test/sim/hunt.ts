/** `hunt.ts SEED SECONDS`: runs simulations until one fails; says which. */
import { simulate } from "./simulate.ts";

const [seed = 1, seconds = 60] = process.argv.slice(2).map(Number);
const started = performance.now();
let runs = 0;
for (let at = seed; performance.now() - started < seconds * 1000; at++, runs++) {
  try {
    await simulate(at);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message.split("\n")[0]! : String(thrown);
    console.log(`found by run ${runs + 1}, seed ${at}: ${why.slice(0, 200)}`);
    process.exit(0);
  }
}
console.log(`nothing found in ${runs} runs`);
process.exit(1);
