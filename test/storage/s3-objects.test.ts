import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type LevinError, seededRandom, systemClock, textOf, utf8 } from "../../src/base/mod.ts";
import { openObjectStorage, parseS3Address, S3Client, S3Objects } from "../../src/storage/mod.ts";
import { makeCertificate } from "../certificates.ts";
import { type Fault, S3Server, type S3ServerOptions } from "./s3-server.ts";

const servers: S3Server[] = [];

async function started(options: S3ServerOptions = {}): Promise<S3Server> {
  const server = await new S3Server(options).start();
  servers.push(server);
  return server;
}

/** With short waits between attempts. */
function opened(server: S3Server, prefix = "", more: Record<string, string> = {}): S3Objects {
  const options = parseS3Address(server.address(prefix, more), {});
  return new S3Objects(
    new S3Client(options, { clock: systemClock, random: seededRandom(1), firstWaitMs: 1, idleMs: 2000 }),
  );
}

const coded = (code: string, pattern: RegExp) => (error: LevinError) => {
  assert.equal(error.code, code);
  assert.match(error.message, pattern);
  return true;
};

after(() => Promise.all(servers.map((server) => server.stop())));

describe("objects in an S3 store", () => {
  let server: S3Server;
  before(async () => {
    server = await started({ pageSize: 3 });
  });
  beforeEach(() => {
    server.objects.clear();
    server.seen.length = 0;
    server.fault = () => undefined;
  });

  test("written, read, listed by pages, removed; odd names too", async () => {
    const storage = opened(server, "a b/ü+%25");
    assert.equal(storage.uri, "s3://bucket/a b/ü+%/");
    const names = ["x/1", "x/2 3", "x/+&<>\"'", "x/%41", "x/ä/z", "x/(1)*!", "x/~", "xy/other", "x"];
    for (const name of names) await storage.write(name, utf8(`content of ${name}`));
    for (const name of names) assert.equal(textOf((await storage.read(name))!), `content of ${name}`);
    assert.deepEqual(
      (await storage.list("x")).map(({ name }) => name),
      names.filter((name) => name.startsWith("x/")).sort(),
    );
    assert.equal((await storage.list("")).length, names.length);
    const [info] = await storage.list("xy");
    assert.equal(info!.sizeBytes, 19);
    assert.ok(Math.abs(info!.mtimeMs - Date.now()) < 60_000);
    assert.equal(await storage.read("nothing"), undefined);
    await storage.remove("x/1");
    await storage.remove("x/1");
    assert.equal(await storage.read("x/1"), undefined);
    assert.deepEqual(await storage.list("nothing"), []);
    assert.ok([...server.objects.keys()].every((key) => key.startsWith("bucket/a b/ü+%/x")));
  });

  test("large and empty objects, pieces of them, and one that changes while it is read", async () => {
    const storage = opened(server);
    const large = new Uint8Array(3_000_000);
    seededRandom(3).fill(large);
    await storage.write("large", large);
    await storage.write("empty", new Uint8Array(0));
    assert.deepEqual(await storage.read("large"), large);
    assert.equal((await storage.read("empty"))!.length, 0);
    const object = (await storage.openRead("large"))!;
    assert.equal(object.sizeBytes, large.length);
    const into = new Uint8Array(1000);
    assert.equal(await object.read(into, 2_999_500), 500);
    assert.deepEqual(into.subarray(0, 500), large.subarray(2_999_500));
    assert.equal(await object.read(into, 3_000_000), 0);
    const empty = (await storage.openRead("empty"))!;
    assert.deepEqual([empty.sizeBytes, await empty.read(into, 0)], [0, 0]);
    assert.equal(await storage.openRead("nothing"), undefined);
    await storage.write("large", new Uint8Array(5));
    await assert.rejects(object.read(into, 0), coded("Levin:Storage:ErrFailed", /replaced while it was read/));
    const plain = opened(await started({ ranges: false }));
    await plain.write("x", utf8("0123456789"));
    const whole = (await plain.openRead("x"))!;
    assert.equal(whole.sizeBytes, 10);
    assert.equal(await whole.read(into, 4), 6);
    assert.equal(textOf(into.subarray(0, 6)), "456789");
  });

  test("headers of writes: class, encryption at rest, ACL; the session's token", async () => {
    const server = await started({ sessionToken: "to/ken+==" });
    const storage = opened(server, "p", {
      "storage-class": "STANDARD_IA",
      sse: "aws:kms",
      sse_kms_key_id: "k-1",
      ACL: "private",
    });
    await storage.write("x", utf8("1"));
    const { headers } = server.objects.get("bucket/p/x")!;
    assert.equal(headers["x-amz-storage-class"], "STANDARD_IA");
    assert.equal(headers["x-amz-server-side-encryption"], "aws:kms");
    assert.equal(headers["x-amz-server-side-encryption-aws-kms-key-id"], "k-1");
    assert.equal(headers["x-amz-acl"], "private");
  });

  test("conditional changes: of many one wins, each time", async () => {
    const storages = Array.from({ length: 6 }, () => opened(server, "p"));
    let expected: Uint8Array | undefined;
    for (let round = 0; round < 4; round++) {
      const results = await Promise.all(
        storages.map((s, who) => s.replaceIf("lock", expected, utf8(`${round} of ${who}`))),
      );
      const winners = results.flatMap((won, who) => (won ? [who] : []));
      assert.equal(winners.length, 1);
      expected = utf8(`${round} of ${winners[0]}`);
      assert.deepEqual(await storages[0]!.read("lock"), Buffer.from(expected));
    }
    assert.equal(await storages[0]!.replaceIf("lock", undefined, utf8("x")), false);
    assert.equal(await storages[0]!.replaceIf("none", utf8("y"), utf8("x")), false);
    assert.equal(await storages[0]!.removeIf("lock", utf8("another")), false);
    const removals = await Promise.all(storages.map((s) => s.removeIf("lock", expected!)));
    assert.ok(removals.some(Boolean));
    assert.equal(server.objects.size, 0);
  });

  test("a store that does not mind conditions is not locked in; one without conditional removal is known", async () => {
    for (const conditions of ["none", "refused"] as const) {
      const other = await started({ conditions });
      const storage = opened(other);
      await assert.rejects(
        storage.replaceIf("lock", undefined, utf8("1")),
        coded("Levin:Storage:ErrFailed", /two owners/),
      );
      assert.equal(await storage.removesIf(), false);
      assert.equal(other.objects.size, 0);
    }
    const puts = opened(await started({ conditions: "put" }));
    assert.equal(await puts.replaceIf("lock", undefined, utf8("1")), true);
    assert.equal(await puts.removesIf(), false);
    assert.equal(await opened(server).removesIf(), true);
  });

  test("what older BR releases wrote with a doubled slash is found, changed in its place and removed", async () => {
    const storage = opened(server, "p");
    server.put("p//checkpoints/backup/data/a.cpt", utf8("a"));
    server.put("p//checkpoints/backup/checkpoint.lock", utf8("old"));
    server.put("p/checkpoints/backup/checkpoint.meta", utf8("m"));
    const names = (await storage.list("checkpoints/backup")).map(({ name }) => name);
    assert.deepEqual(names, [
      "checkpoints/backup/checkpoint.lock",
      "checkpoints/backup/checkpoint.meta",
      "checkpoints/backup/data/a.cpt",
    ]);
    assert.deepEqual(
      (await opened(server, "p").list("")).map(({ name }) => name),
      names,
    );
    const fresh = opened(server, "p");
    assert.equal(textOf((await fresh.read("checkpoints/backup/data/a.cpt"))!), "a");
    assert.equal(await fresh.replaceIf("checkpoints/backup/checkpoint.lock", utf8("old"), utf8("new")), true);
    assert.equal(textOf(server.objects.get("bucket/p//checkpoints/backup/checkpoint.lock")!.bytes), "new");
    for (const name of names) await storage.remove(name);
    assert.equal(server.objects.size, 0);
  });
});

describe("a store that fails", () => {
  test("any one request that fails before or after it is carried out, or whose answer is cut: the result is the same", async () => {
    const faults: Fault[] = ["before", "after", "short", 500, 503];
    const run = async (fault: Fault | undefined, at: number): Promise<number> => {
      const server = await started();
      server.fault = (_request, number) => (number === at ? fault : undefined);
      const storage = opened(server, "p");
      await storage.write("a", utf8("1"));
      assert.equal(await storage.replaceIf("lock", undefined, utf8("x")), true, `${fault} at ${at}`);
      assert.equal(await storage.replaceIf("lock", utf8("x"), utf8("y")), true, `${fault} at ${at}`);
      assert.equal(await storage.replaceIf("lock", utf8("x"), utf8("z")), false);
      assert.equal(textOf((await storage.read("a"))!), "1");
      assert.deepEqual(
        (await storage.list("")).map(({ name }) => name),
        ["a", "lock"],
      );
      assert.equal(await storage.removeIf("lock", utf8("y")), true, `${fault} at ${at}`);
      await storage.remove("a");
      assert.equal(server.objects.size, 0, `${fault} at ${at}`);
      const { length } = server.seen;
      await server.stop();
      servers.pop();
      return length;
    };
    const requests = await run(undefined, -1);
    assert.ok(requests > 12, `${requests}`);
    for (const fault of faults) for (let at = 0; at < requests; at++) await run(fault, at);
  });

  test("one that stays away is an error after so many attempts; a hanging one is given up", async () => {
    const server = await started();
    server.fault = () => 503;
    await assert.rejects(opened(server).read("x"), coded("Levin:Storage:ErrFailed", /SlowDown/));
    assert.equal(server.seen.length, 8);
    const gone = opened(server);
    await server.stop();
    await assert.rejects(
      gone.write("x", utf8("1")),
      coded("Levin:Storage:ErrFailed", /Cannot write "s3:\/\/bucket\/x"/),
    );
    const slow = await started();
    slow.pause = () => new Promise((resolve) => setTimeout(resolve, 400));
    const options = parseS3Address(slow.address(), {});
    const client = new S3Client(options, {
      clock: systemClock,
      random: seededRandom(1),
      attempts: 2,
      firstWaitMs: 1,
      idleMs: 50,
    });
    await assert.rejects(new S3Objects(client).read("x"), coded("Levin:Storage:ErrFailed", /no answer within 50 ms/));
  });

  test("what the user can mend says so, and secrets are in no message", async () => {
    const server = await started({ region: "eu-central-1" });
    const denied = async (address: string, environment: Record<string, string>, pattern: RegExp): Promise<void> => {
      await assert.rejects(openObjectStorage(address, { environment }).list(""), (error: LevinError) => {
        assert.equal(error.code, "Levin:Storage:ErrDenied");
        assert.match(error.message, pattern);
        assert.doesNotMatch(JSON.stringify([error.message, error.fields]), /SECRET|wJalr/);
        return true;
      });
    };
    const endpoint = encodeURIComponent(server.endpoint);
    await denied(`s3://bucket/p?endpoint=${endpoint}`, {}, /no access key was given/);
    const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "SECRET" };
    await denied(`s3://bucket/p?endpoint=${endpoint}`, keys, /the bucket is in region eu-central-1/);
    await denied(
      `s3://bucket/p`,
      { ...keys, AWS_ENDPOINT_URL: server.endpoint, AWS_REGION: "eu-central-1" },
      /SignatureDoesNotMatch/,
    );
    await denied(server.address().replace("s3://bucket", "s3://nothere"), {}, /NoSuchBucket/);
  });
});

test("HTTPS with an authority of one's own; without it the certificate is refused", async () => {
  const authority = makeCertificate({ name: "authority", isAuthority: true });
  const identity = makeCertificate({ name: "store", issuer: authority, hosts: ["127.0.0.1", "localhost"] });
  const server = await started({ tls: identity });
  const storage = openObjectStorage(server.address("p"), { ca: authority.cert });
  await storage.write("x", utf8("over TLS"));
  assert.equal(textOf((await storage.read("x"))!), "over TLS");
  const options = parseS3Address(server.address("p"), {});
  const client = new S3Client(options, { clock: systemClock, random: seededRandom(1), attempts: 2, firstWaitMs: 1 });
  await assert.rejects(new S3Objects(client).read("x"), coded("Levin:Storage:ErrFailed", /certificate|UnknownIssuer/i));
});

test("addresses", () => {
  const refused = (address: string, pattern: RegExp): void => {
    assert.throws(() => openObjectStorage(address), coded("Levin:Storage:ErrAddress", pattern));
  };
  refused("gs://bucket/x", /"gs" is not supported/);
  refused("s3://", /bucket/);
  refused("s3://b-1/x?acces-key=SECRET", /"acces-key" is not known/);
  refused("s3://b-1/x?access-key=a", /belong together/);
  refused("s3://b-1/x?endpoint=nowhere", /endpoint/);
  refused("s3://b-1/x?force-path-style=maybe", /true or false/);
  refused("s3://b-1/a/../b", /no folders/);
  refused("file://host/x", /file:\/\/\/DIR/);
  assert.equal(openObjectStorage("file:///a%20b/c").uri, "file:///a b/c/");
  assert.equal(openObjectStorage("local:///x").uri, "file:///x/");
  assert.equal(openObjectStorage("/x/y/").uri, "file:///x/y/");
  const parsed = parseS3Address("s3://b-1//x/y/?region=r&force_path_style=TRUE", {});
  assert.deepEqual([parsed.bucket, parsed.prefix, parsed.region, parsed.pathStyle], ["b-1", "x/y", "r", true]);
  assert.equal(parseS3Address("s3://b-1/x", {}).pathStyle, false);
  assert.equal(parseS3Address("s3://b.1/x", {}).pathStyle, true);
});
