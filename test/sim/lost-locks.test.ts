import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError } from "../../src/base/mod.ts";
import type { Tidb } from "../../src/tidb/mod.ts";
import { plainStory, simulate } from "./simulate.ts";

test("an import whose locks another one has taken ends with that error, not as an interrupted one", async () => {
  let isAway = false;
  const run = simulate(3, {
    livesMax: 0,
    story: plainStory,
    judge: () => () => undefined,
    tamper({ clock, cluster }) {
      const original = cluster.tidbOf.bind(cluster);
      const query = async (real: Tidb["query"], sql: string): ReturnType<Tidb["query"]> => {
        // The import takes its time, and meanwhile its connections are lost and the locks are another's.
        if (sql.startsWith("(SELECT 0 FROM")) {
          isAway = true;
          await clock.sleep(3_600_000);
        }
        if (isAway && sql === "DO 1") throw new LevinError("Levin:Tidb:ErrUnavailable", "the connection was lost");
        if (isAway && sql.includes("GET_LOCK")) return { columns: ["x"], rows: [["0"]], affectedRows: 0 };
        return await real(sql);
      };
      cluster.tidbOf = (life) => {
        const tidb = original(life);
        const session: Tidb["session"] = (use) => tidb.session((real) => use((sql) => query(real, sql)));
        return { ...tidb, session, query: (sql) => session((one) => one(sql)) };
      };
    },
  });
  await assert.rejects(run, /fails without faults: Levin:Tidb:ErrLocked Cannot get the lock 'levin_import\.d\./);
});
