/**
 * The gRPC transport against the libraries that TiKV and PD are built on. Needs what setup.sh installs; without it, it says that it
 * skipped and succeeds, unless LEVIN_INTEROP=require. Arguments: texts that the names of cases must contain.
 */
import { coreCases } from "./core-cases.ts";
import { etcdCases } from "./etcd-cases.ts";
import { CORES, missing } from "./peers.ts";

const lacking = missing();
if (lacking.length > 0) {
  const required = process.env["LEVIN_INTEROP"] === "require";
  console.log(`SKIPPED interop: ${lacking.join(", ")} not found; test/interop/setup.sh installs what is needed`);
  process.exit(required ? 1 : 0);
}

const CASE_LIMIT_MS = 20_000;
const filters = process.argv.slice(2);
const cases = [...CORES.flatMap(coreCases), ...etcdCases()].filter(({ name }) =>
  filters.every((f) => name.includes(f)),
);
const start = performance.now();
let failed = 0;
for (const { name, run } of cases) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${CASE_LIMIT_MS} ms`)), CASE_LIMIT_MS);
  });
  try {
    const figures = await Promise.race([run(), limit]);
    console.log(`ok   ${name}${figures === "" ? "" : `: ${figures}`}`);
  } catch (error) {
    failed++;
    console.log(`FAIL ${name}:`, error);
  }
  clearTimeout(timer);
}
console.log(`${cases.length - failed} passed, ${failed} failed, ${((performance.now() - start) / 1000).toFixed(0)} s`);
process.exit(failed === 0 ? 0 : 1);
