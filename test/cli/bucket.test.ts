/** A dump in a bucket, imported from there. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { levin } from "../e2e/in-process.ts";
import { S3Server } from "../storage/s3-server.ts";

const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-bucket-"));
after(() => fs.rmSync(dir, { recursive: true, force: true }));

const dump: Record<string, string | Uint8Array> = {
  "dumps/d-schema-create.sql": "CREATE DATABASE `d`;",
  "dumps/d.t-schema.sql": "CREATE TABLE `t` (`a` int primary key, `b` varchar(20));",
  "dumps/d.t.1.csv": `a,b\n${Array.from({ length: 20_000 }, (_, i) => `${i},row ${i}\n`).join("")}`,
  "dumps/d.t.2.csv.gz": gzipSync("a,b\n70000,packed\n70001,packed\n"),
};

/** Chunks of which the larger file has several. */
const small = join(dir, "small.toml");
fs.writeFileSync(small, '[mydumper]\nmax-region-size = "64KiB"\n');

async function withDump(use: (server: S3Server, address: string) => Promise<void>): Promise<void> {
  const server = await new S3Server({ pageSize: 2 }).start();
  try {
    for (const [name, bytes] of Object.entries(dump)) server.put(name, Buffer.from(bytes));
    await use(server, server.address("dumps"));
  } finally {
    await server.stop();
  }
}

test("a dump in a bucket is imported, its keys stand nowhere, and the same command knows it again", async () => {
  await withDump(async (server, address) => {
    const [where, parameters] = address.split("?") as [string, string];
    const state = join(dir, "state");
    const run = ["import", address, "--sandbox", join(dir, "cluster"), "--state-dir", state, "-c", small];
    const first = await levin(run);
    assert.equal(first.code, 0, first.err);
    assert.match(first.err, /d\.t: 20002 rows, 20002 pairs, .* ok\n/);
    const secret = new URLSearchParams(parameters).get("secret-access-key")!;
    const kept = fs.readdirSync(state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const texts = kept.map((entry) => fs.readFileSync(join(entry.parentPath, entry.name), "latin1"));
    for (const text of [first.out, first.err, ...texts]) assert.ok(!text.includes(secret) && !text.includes("wJalr"));
    const config = await levin(["import", "--print-config", ...run.slice(1)]);
    assert.ok(!config.out.includes("wJalr"), config.out);
    // The keys may come from the environment as well.
    const environment = {
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_ACCESS_KEY_ID: new URLSearchParams(parameters).get("access-key") ?? undefined,
      AWS_SECRET_ACCESS_KEY: secret,
    };
    const again = await levin(["import", where, ...run.slice(2)], { environment });
    assert.equal(again.code, 0, again.err);
    assert.match(again.err, /done/);
    server.put("dumps/d.t.1.csv", Buffer.from("a,b\n1,other\n"));
    const changed = await levin(run);
    assert.equal(changed.code, 2, changed.err);
    assert.match(changed.err, /d\.t\.1\.csv/);
  });
});

test("a bucket that answers an error now and then is read all the same", async () => {
  await withDump(async (server, address) => {
    server.fault = (_, number) => (number % 5 === 3 ? 503 : number % 7 === 4 ? "short" : undefined);
    const ran = await levin([
      ...["import", address, "--sandbox", join(dir, "cluster-2"), "--state-dir", join(dir, "state-2")],
      "-c",
      small,
    ]);
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.err, /d\.t: 20002 rows/);
  });
});

test("a bucket that is not there or refuses, and a store of another kind", async () => {
  await withDump(async (server, address) => {
    const state = ["--state-dir", join(dir, "none")];
    for (const [source, code, text] of [
      [address.replace("wJalr", "wrong"), 3, /Cannot read "s3:\/\/bucket\/dumps": .*SignatureDoesNotMatch/],
      [address.replace("s3://bucket", "s3://other"), 3, /Cannot read "s3:\/\/other\/dumps"/],
      [server.address("nothing"), 3, /Cannot import "s3:\/\/bucket\/nothing": it has neither data nor schema/],
      [`${address}&bogus=1`, 2, /the parameter "bogus" is not known/],
      [
        "gcs://bucket/dumps?x=wJalr",
        2,
        /Cannot import "gcs:\/\/bucket\/dumps": levin reads directories, files and s3:/,
      ],
    ] as const) {
      const ran = await levin(["import", source, ...state, "--sandbox", join(dir, "cluster-3")]);
      assert.equal(ran.code, code, ran.err);
      assert.match(ran.err, text);
      assert.doesNotMatch(ran.err, /wJalr/);
    }
  });
});
