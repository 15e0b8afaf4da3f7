/** `hunt.ts SEED SECONDS [BACKEND]`: runs simulations, of one backend or of both, until one fails; says which. */
import { backendOf, simulate } from "./simulate.ts";

const [seed = 1, seconds = 60] = process.argv.slice(2).map(Number);
const backend = process.argv[4];
const started = performance.now();
let runs = 0;
for (let at = seed; performance.now() - started < seconds * 1000; at++) {
  if (backend !== undefined && backendOf(at) !== backend) continue;
  runs++;
  try {
    await simulate(at);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message.split("\n")[0]! : String(thrown);
    console.log(`found by run ${runs}, seed ${at}: ${why.slice(0, 200)}`);
    process.exit(0);
  }
}
console.log(`nothing found in ${runs} runs`);
process.exit(1);
