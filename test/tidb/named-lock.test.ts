import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError } from "../../src/base/mod.ts";
import { type Tidb, underLocks } from "../../src/tidb/mod.ts";

const refusal = (errno: number) => new LevinError("Levin:Tidb:ErrSql", `error ${errno}`, { fields: { errno } });

/** A session that gives these answers to GET_LOCK, one after the other, and what was asked of it. */
function sessionWith(...answers: (string | null | LevinError)[]) {
  const asked: string[] = [];
  const query: Tidb["query"] = async (sql) => {
    asked.push(sql);
    const answer = sql.includes("GET_LOCK")
      ? answers.shift()!
      : sql.includes("RELEASE_LOCK")
        ? (answers.shift() ?? "1")
        : "1";
    if (answer instanceof LevinError) throw answer;
    return { columns: ["x"], rows: [[answer]], affectedRows: 0 };
  };
  const tidb: Pick<Tidb, "session"> = { session: (use) => use(query) };
  return { tidb, asked };
}

const lock = { names: ["n"], patienceMs: 150_000 };

test("works while it has the lock, and gives it back", async () => {
  const { tidb, asked } = sessionWith("1");
  await underLocks(tidb, lock, async (query) => void (await query("DELETE")));
  assert.deepEqual(asked, ["SELECT GET_LOCK('n', 1)", "DELETE", "SELECT RELEASE_LOCK('n')"]);
});

test("waits for it as long as it may, then says so and has not worked", async () => {
  const { tidb, asked } = sessionWith("1", "0", "0", "0", "0");
  const told: string[] = [];
  const wish = { ...lock, names: ["m", "n"], onWait: (name: string) => void told.push(name) };
  const run = underLocks(tidb, wish, () => assert.fail("it worked without the lock"));
  await assert.rejects(run, { code: "Levin:Tidb:ErrLocked", message: /lock 'n' in the target: .* held it for 150 s/ });
  assert.deepEqual(told, ["n"]);
  assert.equal(asked.shift(), "SELECT GET_LOCK('m', 1)");
  assert.deepEqual(
    asked,
    ["1", "60", "60", "29"].map((seconds) => `SELECT GET_LOCK('n', ${seconds})`),
  );
});

for (const [what, answer] of [
  ["NULL", null],
  ["a time-out of the store", refusal(9002)],
  ["an interruption", refusal(1317)],
] as const) {
  test(`${what} is no lock`, async () => {
    const { tidb } = sessionWith(answer);
    const run = underLocks(tidb, lock, () => assert.fail("it worked without the lock"));
    await assert.rejects(run, { code: "Levin:Tidb:ErrSql" });
  });
}

for (const errno of [1305, 1235]) {
  test(`a server without locks (${errno}) does without`, async () => {
    const { tidb, asked } = sessionWith(refusal(errno));
    await underLocks(tidb, lock, async (query) => void (await query("DELETE")));
    assert.equal(asked.at(-1), "DELETE");
  });
}

test("a connection that may have the lock still is not used again; what failed before goes first", async () => {
  const first = sessionWith("1", refusal(9002));
  await assert.rejects(
    underLocks(first.tidb, lock, async () => undefined),
    { code: "Levin:Tidb:ErrUnavailable" },
  );
  const second = sessionWith("1", refusal(9002));
  const failing = underLocks(second.tidb, lock, () => Promise.reject(new Error("the work failed")));
  await assert.rejects(failing, /the work failed/);
});

test("locks that were taken are given back where a later one cannot be had", async () => {
  for (const answer of [null, refusal(9002)]) {
    const { tidb, asked } = sessionWith("1", answer);
    const run = underLocks(tidb, { ...lock, names: ["m", "n"] }, () => assert.fail("it worked without the lock"));
    await assert.rejects(run, { code: "Levin:Tidb:ErrSql" });
    assert.deepEqual(asked.slice(2), ["SELECT RELEASE_LOCK('m')"]);
  }
});

test("behind an error of the server, too, a connection that has a lock still is not used again", async () => {
  const { tidb } = sessionWith("1", "1", refusal(9002));
  const run = underLocks(tidb, { ...lock, names: ["m", "n"] }, () => Promise.reject(refusal(1064)));
  await assert.rejects(run, { code: "Levin:Tidb:ErrUnavailable", message: /^error 1064 \(Cannot give back the lock/ });
});

test("long names are cut to what servers take, and still told apart", async () => {
  const names = await Promise.all(
    ["a", "b"].map(async (end) => {
      const { tidb, asked } = sessionWith("1");
      await underLocks(tidb, { ...lock, names: [`levin.${"x".repeat(80)}${end}`] }, async () => undefined);
      return /'(.*)'/.exec(asked[0]!)![1]!;
    }),
  );
  assert.ok(names.every((name) => name.length <= 64));
  assert.notEqual(names[0], names[1]);
});
