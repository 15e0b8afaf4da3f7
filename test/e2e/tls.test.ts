import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connectTidb, type TidbOptions } from "../../src/tidb/mod.ts";
import { makeCertificate } from "../certificates.ts";
import { isolatedBinary, run, type SandboxAddresses, startSandboxProcess, targetFlags } from "./harness.ts";

interface Paths {
  ca: string;
  cert: string;
  key: string;
}

let place: ReturnType<typeof isolatedBinary>;
let sandbox: SandboxAddresses & { child: ChildProcess; tls: Paths };
let other: Paths;
let expired: Paths;
let imports = 0;

async function startTlsSandbox(dir: string): Promise<typeof sandbox> {
  const started = await startSandboxProcess(place.levin, dir, 1, ["--tls"]);
  return { ...started, tls: started.tls! };
}

function writePem(name: string, text: string): string {
  const path = join(place.dir, name);
  fs.writeFileSync(path, text);
  return path;
}

before(async () => {
  place = isolatedBinary();
  const source = join(place.dir, "dump");
  fs.mkdirSync(source);
  fs.writeFileSync(join(source, "d-schema-create.sql"), "CREATE DATABASE d;");
  fs.writeFileSync(join(source, "d.t-schema.sql"), "CREATE TABLE t (id INT PRIMARY KEY);");
  fs.writeFileSync(join(source, "d.t.csv"), "id\n1\n2\n");
  sandbox = await startTlsSandbox(join(place.dir, "cluster"));
  const common = { fromDays: -10, toDays: 10 };
  const ca = makeCertificate({ ...common, name: "another authority", isAuthority: true });
  const client = makeCertificate({ ...common, name: "stranger", issuer: ca });
  other = { ca: writePem("o-ca", ca.cert), cert: writePem("o-c", client.cert), key: writePem("o-k", client.key) };
  const old = makeCertificate({ ...common, name: "old", issuer: ca, toDays: -1 });
  expired = { ca: sandbox.tls.ca, cert: writePem("e-c", old.cert), key: writePem("e-k", old.key) };
});

after(() => {
  sandbox?.child.kill("SIGKILL");
  fs.rmSync(place.dir, { recursive: true, force: true });
});

/** Imports with the lines of a configuration file. */
function importWith(lines: string[], target: SandboxAddresses = sandbox): ReturnType<typeof run> {
  const number = ++imports;
  const config = writePem(`config-${number}.toml`, ['[levin]\ntimeout = "2s"', ...lines].join("\n"));
  const state = join(place.dir, `state-${number}`);
  return run(place.levin, [
    "import",
    join(place.dir, "dump"),
    "-c",
    config,
    ...targetFlags(target),
    "--state-dir",
    state,
  ]);
}

const security = ({ ca, cert, key }: Partial<Paths>, section = "security"): string =>
  [
    `[${section}]`,
    ...(ca === undefined ? [] : [`ca-path = "${ca}"`]),
    ...(cert === undefined ? [] : [`cert-path = "${cert}"`]),
    ...(key === undefined ? [] : [`key-path = "${key}"`]),
  ].join("\n");

describe("certificates", () => {
  const cases: [name: string, lines: () => string[], message: RegExp][] = [
    ["plain against TLS", () => [], /127\.0\.0\.1/],
    ["no authority to trust", () => [security({ cert: sandbox.tls.cert, key: sandbox.tls.key })], /certificate|TLS/i],
    ["another authority", () => [security({ ...sandbox.tls, ca: other.ca })], /certificate|TLS/i],
    ["no client certificate", () => [security({ ca: sandbox.tls.ca })], /certificate|handshake/i],
    [
      "a stranger's certificate",
      () => [security({ ...other, ca: sandbox.tls.ca })],
      /certificate|handshake|unknown.ca/i,
    ],
    ["an expired certificate", () => [security(expired)], /certificate|handshake|unknown.ca/i],
    ["a key of another certificate", () => [security({ ...sandbox.tls, key: other.key })], /key/i],
    [
      "a file that is missing",
      () => [security({ ...sandbox.tls, ca: "/none/ca.pem" })],
      /Cannot read security\.ca-path "\/none\/ca\.pem"/,
    ],
    [
      "a common name that is not allowed",
      () => [`${security(sandbox.tls)}\ncert-allowed-cn = ["tikv-server"]`],
      /common name "levin-sandbox" is not in security\.cert-allowed-cn/,
    ],
  ];
  for (const [name, lines, message] of cases) {
    test(name, { timeout: 60_000 }, async () => {
      const { code, err } = await importWith(lines());
      assert.ok(code === 1 || code === 2 || code === 3, `exit code ${code}: ${err}`);
      assert.match(err, message);
      assert.doesNotMatch(err, /\n\s+at /);
    });
  }

  /** A sandbox with certificates of our making. */
  async function withServer(
    name: string,
    server: { hosts: string[]; fromDays?: number; toDays?: number },
    use: (target: typeof sandbox) => Promise<void>,
  ): Promise<void> {
    const dir = join(place.dir, name);
    const tls = join(dir, "tls");
    fs.mkdirSync(tls, { recursive: true });
    const ca = makeCertificate({ name: "authority", isAuthority: true });
    const own = makeCertificate({ name: "server", issuer: ca, ...server });
    const client = makeCertificate({ name: "client", issuer: ca });
    const files = { ca: ca.cert, server: own.cert, "server-key": own.key, client: client.cert };
    for (const [file, text] of Object.entries(files)) fs.writeFileSync(join(tls, `${file}.pem`), text);
    fs.writeFileSync(join(tls, "client-key.pem"), client.key);
    const target = await startTlsSandbox(dir);
    try {
      await use(target);
    } finally {
      target.child.kill("SIGKILL");
    }
  }

  const sqlOptions = (target: typeof sandbox): TidbOptions => {
    const read = (path: string): string => fs.readFileSync(path, "utf8");
    const { ca, cert, key } = target.tls;
    const tls = { ca: read(ca), cert: read(cert), key: read(key), verify: true };
    return { ...target.tidb, user: "root", password: "", connectionsMax: 2, connectTimeoutMs: 10_000, tls };
  };

  test("a host name that the certificate does not have", { timeout: 60_000 }, () =>
    withServer("renamed", { hosts: ["tikv.example"] }, async (target) => {
      const { code, err } = await importWith([security(target.tls)], target);
      assert.equal(code, 1, err);
      assert.match(err, /altname|host|name/i);
      await assert.rejects(connectTidb(sqlOptions(target)), /TLS to TiDB.*IP: 127\.0\.0\.1 is not in the cert/);
    }),
  );

  test("an address instead of a name is looked for among the certificate's addresses", { timeout: 60_000 }, () =>
    withServer("address", { hosts: ["127.0.0.1"] }, async (target) => {
      const tidb = await connectTidb(sqlOptions(target));
      await tidb.close();
      await assert.rejects(connectTidb({ ...sqlOptions(target), host: "localhost" }), /TLS to TiDB.*localhost/);
    }),
  );

  test("a server's certificate that has expired, or is not valid yet", { timeout: 60_000 }, async () => {
    const hosts = ["127.0.0.1", "localhost"];
    for (const [name, days] of Object.entries({
      expired: { fromDays: -9, toDays: -1 },
      early: { fromDays: 3, toDays: 9 },
    })) {
      await withServer(name, { hosts, ...days }, async (target) => {
        const { code, err } = await importWith([security(target.tls)], target);
        assert.equal(code, 1, err);
        assert.match(err, /expired|not.yet.valid|certificate/i);
      });
    }
  });

  test("certificates that are renewed while a pool is open are used for its next connection", {
    timeout: 60_000,
  }, async () => {
    const options = sqlOptions(sandbox);
    const good = options.tls!;
    const stranger = { ...good, ca: fs.readFileSync(other.ca, "utf8") };
    let current = good;
    const tidb = await connectTidb({ ...options, tls: { ...good, current: () => current } });
    try {
      current = stranger;
      // The first session holds the connection that is open; the second needs a new one.
      const second = tidb.session((query) => query("SELECT 1").then(() => tidb.query("SELECT 2")));
      await assert.rejects(second, /TLS|certificate|handshake|closed/i);
      current = good;
      await tidb.session((query) => query("SELECT 1").then(() => tidb.query("SELECT 2")));
    } finally {
      await tidb.close();
    }
  });

  test("TLS against plain ports", { timeout: 60_000 }, async () => {
    const plain = await startSandboxProcess(place.levin, join(place.dir, "plain"), 1);
    try {
      const { code, err } = await importWith([security(sandbox.tls)], plain);
      assert.equal(code, 1, err);
      assert.match(err, /TLS|SSL|secure connection/i);
      const preferred = await importWith(['[tidb]\ntls = "preferred"'], plain);
      assert.equal(preferred.code, 0, preferred.err);
    } finally {
      await plain.stop();
    }
  });

  test("all links with the right certificates, from files and inline", { timeout: 90_000 }, async () => {
    // By a thread, which is told of the certificates.
    const good = await importWith([
      "ingest-threads = 1",
      `${security(sandbox.tls)}\ncert-allowed-cn = ["levin-sandbox"]`,
    ]);
    assert.equal(good.code, 0, good.err);
    const read = (path: string): string => fs.readFileSync(path, "utf8");
    const { ca, cert, key } = sandbox.tls;
    const inline = `[security]\nca-bytes = """${read(ca)}"""\ncert-bytes = """${read(cert)}"""\nkey-bytes = """${read(key)}"""`;
    const again = await importWith([inline, '[tidb]\ntls = "skip-verify"']);
    // The certificates are good, so it comes as far as the rows that the first import brought.
    assert.equal(again.code, 3, again.err);
    assert.match(again.err, /empty/);
  });
});
