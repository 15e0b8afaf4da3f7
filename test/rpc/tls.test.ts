import assert from "node:assert/strict";
import type { AddressInfo, Socket } from "node:net";
import * as net from "node:net";
import { after, before, test } from "node:test";
import * as tls from "node:tls";
import { ImportSST } from "../../gen/import_sstpb_pb.ts";
import { LevinError } from "../../src/base/mod.ts";
import { createClient, createGrpcTransport, rpcFields, type TlsMaterial, type TlsOptions } from "../../src/rpc/mod.ts";
import { type CertificateOptions, type Identity, makeCertificate } from "../certificates.ts";
import { END_STREAM, FakePeer, T } from "./fake-peer.ts";

/** Deno tells only that the connection broke when a server refuses a certificate. */
const hidesReasons = "Deno" in globalThis;

const authority = makeCertificate({ name: "levin test authority", isAuthority: true });
const stranger = makeCertificate({ name: "another authority", isAuthority: true });
const issue = (name: string, options: Partial<CertificateOptions> = {}): Identity =>
  makeCertificate({ name, issuer: authority, ...options });
const good = issue("client-1");

interface TlsServer {
  readonly port: number;
  readonly clients: (string | undefined)[];
  close(): void;
}

const open: { close(): void }[] = [];

async function startTlsServer(identity: Identity, options: tls.TlsOptions = {}): Promise<TlsServer> {
  const clients: (string | undefined)[] = [];
  const sockets: Socket[] = [];
  const server = tls.createServer(
    {
      cert: identity.cert,
      key: identity.key,
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ["h2"],
      ...options,
    },
    (socket) => {
      const name: unknown = socket.getPeerCertificate()?.subject?.CN;
      clients.push(typeof name === "string" ? name : undefined);
      answerEverything(socket);
    },
  );
  server.on("connection", (socket: Socket) => sockets.push(socket));
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const running = {
    port: (server.address() as AddressInfo).port,
    clients,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  open.push(running);
  return running;
}

function answerEverything(socket: Socket): void {
  const peer = new FakePeer(socket);
  peer.settings();
  peer.onFrame = (frame) => {
    if (frame.type === T.DATA && (frame.flags & END_STREAM) !== 0) peer.answer(frame.id);
    return true;
  };
}

let server: TlsServer;

before(async () => {
  server = await startTlsServer(issue("server", { hosts: ["127.0.0.1", "localhost", "tikv.example"] }));
});

after(() => {
  for (const each of open) each.close();
});

async function call(port: number, options: Partial<TlsOptions> | undefined, scheme = "https"): Promise<void> {
  const material = { ca: authority.cert, cert: good.cert, key: good.key };
  const transport = createGrpcTransport({
    baseUrl: `${scheme}://127.0.0.1:${port}`,
    connectTimeoutMs: 3000,
    ...(options === undefined ? {} : { tls: { material, ...options } }),
  });
  try {
    await createClient(ImportSST, transport).getMode({});
  } finally {
    transport.close();
  }
}

async function failure(promise: Promise<unknown>): Promise<LevinError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof LevinError, String(error));
    return error;
  }
  throw new Error("expected a failure");
}

test("both sides know each other", async () => {
  await call(server.port, {});
  assert.equal(server.clients.at(-1), "client-1");
});

const ours = { cert: good.cert, key: good.key };
const refusedHere: [what: string, material: TlsMaterial, text: RegExp][] = [
  ["we trust another authority", { ...ours, ca: stranger.cert }, /verify|issuer|UnknownIssuer|self.signed/i],
  ["we are given no authority", ours, /verify|issuer|UnknownIssuer|self.signed/i],
  [
    "the key does not belong to the certificate",
    { ca: authority.cert, cert: good.cert, key: stranger.key },
    /key does not belong/,
  ],
  ["the certificate is no PEM", { ca: authority.cert, cert: "nonsense", key: good.key }, /"cert" is not in PEM form/],
];

for (const [what, material, text] of refusedHere) {
  test(`refused here: ${what}`, async () => {
    const error = await failure(call(server.port, { material }));
    assert.equal(error.code, "Levin:Rpc:ErrTls", error.message);
    assert.match(error.message, text);
  });
}

const refusedThere: [what: string, identity: Identity | undefined, text: RegExp][] = [
  ["no client certificate", undefined, /certificate.required/i],
  ["a client certificate of another authority", makeCertificate({ name: "x", issuer: stranger }), /unknown.ca/i],
  ["an expired client certificate", issue("x", { fromDays: -9, toDays: -3 }), /certificate.expired/i],
];

for (const [what, identity, text] of refusedThere) {
  test(`refused by the server: ${what}`, async () => {
    const own = identity === undefined ? {} : { cert: identity.cert, key: identity.key };
    const error = await failure(call(server.port, { material: { ca: authority.cert, ...own } }));
    if (error.code === "Levin:Rpc:ErrUnavailable") {
      assert.match(error.message, /closed the connection during the TLS handshake: it refused our certificate/);
    } else {
      assert.equal(error.code, "Levin:Rpc:ErrTls");
      assert.match(error.message, text);
      assert.ok(!hidesReasons || text.test(error.message));
    }
  });
}

test("an expired server certificate", async () => {
  const old = await startTlsServer(issue("old", { hosts: ["127.0.0.1"], fromDays: -9, toDays: -3 }));
  const error = await failure(call(old.port, {}));
  assert.equal(error.code, "Levin:Rpc:ErrTls", error.message);
  assert.match(error.message, hidesReasons ? /expired|verify/i : /expired/i);
});

test("the server's certificate is for another host, unless that host is asked for", async () => {
  const other = await startTlsServer(issue("other", { hosts: ["tikv.example"] }));
  const error = await failure(call(other.port, {}));
  assert.equal(error.code, "Levin:Rpc:ErrTls", error.message);
  assert.match(error.message, /altname|NotValidForName|not valid for/i);
  await call(other.port, { serverName: "tikv.example" });
  assert.equal((await failure(call(other.port, { serverName: "pd.example" }))).code, "Levin:Rpc:ErrTls");
});

test("checkPeer sees the server's certificate and may refuse it", async () => {
  let name = "";
  const refusal = call(server.port, {
    checkPeer: (certificate) => {
      name = String(certificate.subject.CN);
      return "its common name is not allowed";
    },
  });
  const error = await failure(refusal);
  assert.equal(name, "server");
  assert.equal(error.code, "Levin:Rpc:ErrTls", error.message);
  assert.match(error.message, /common name is not allowed/);
  await call(server.port, { checkPeer: () => undefined });
});

test("certificates are loaded anew for every connection", async () => {
  const material = [good, issue("client-2")].map((identity) => ({
    ca: authority.cert,
    cert: identity.cert,
    key: identity.key,
  }));
  let loads = 0;
  const transport = createGrpcTransport({
    baseUrl: `https://127.0.0.1:${server.port}`,
    tls: { material: async () => material[loads++]! },
  });
  const client = createClient(ImportSST, transport);
  await client.getMode({});
  await client.getMode({});
  assert.equal(loads, 1);
  transport.close();
  const again = createGrpcTransport({
    baseUrl: `https://127.0.0.1:${server.port}`,
    tls: { material: async () => material[loads++]! },
  });
  await createClient(ImportSST, again).getMode({});
  again.close();
  assert.equal(server.clients.at(-1), "client-2");
  const broken = { material: () => Promise.reject(new Error("ENOENT: no such file")) };
  const error = await failure(call(server.port, broken));
  assert.equal(error.code, "Levin:Rpc:ErrTls");
  assert.match(error.message, /certificates cannot be read: ENOENT/);
});

test("https to a port without TLS", async () => {
  const plain = net.createServer((socket) => {
    const peer = new FakePeer(socket);
    socket.removeAllListeners("data");
    socket.on("data", () => socket.end());
    peer.settings();
  });
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  open.push({ close: () => plain.close() });
  const error = await failure(call((plain.address() as AddressInfo).port, {}));
  assert.match(error.code, /Levin:Rpc:Err(Tls|Unavailable)/);
  assert.match(error.message, /does not speak TLS/);
});

test("http to a port with TLS", async () => {
  const error = await failure(call(server.port, undefined, "http"));
  assert.match(error.code, /Levin:Rpc:Err(Protocol|Unavailable)/);
  assert.match(error.message, /before it spoke HTTP\/2: the port may want TLS|the port speaks TLS/);
});

test("a server that speaks TLS but not HTTP/2", async () => {
  const web = await startTlsServer(issue("web", { hosts: ["127.0.0.1"] }), { ALPNProtocols: ["http/1.1"] });
  const error = await failure(call(web.port, {}));
  assert.match(error.code, /Levin:Rpc:Err(Tls|Protocol|Unavailable)/);
  assert.ok(rpcFields(error) !== undefined);
});
