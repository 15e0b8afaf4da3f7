import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { seededRandom, systemClock } from "../../src/base/mod.ts";
import { clusterTls, currentOf } from "../../src/cli/tls-options.ts";
import { loadConfig } from "../../src/config/mod.ts";
import { makeCertificate } from "../../src/embed/mod.ts";
import { makeCertificate as makeSimple } from "../certificates.ts";

test("renewed certificates are taken up when they fit together, not while they are being replaced", () => {
  const common = { clock: systemClock, random: seededRandom(1), fromDays: -1, toDays: 10 };
  const ca = makeCertificate({ ...common, name: "authority", isAuthority: true });
  const [old, renewed] = ["old", "renewed"].map((name) => makeCertificate({ ...common, name, issuer: ca }));
  const first = { ca: ca.cert, cert: old!.cert, key: old!.key };
  let files: typeof first | undefined = first;
  const current = currentOf(first, () => {
    if (files === undefined) throw new Error("ENOENT");
    return files;
  });
  assert.equal(current(), first);
  files = { ...first, cert: renewed!.cert };
  assert.equal(current(), first, "the new certificate with the old key");
  files = undefined;
  assert.equal(current(), first, "no file for a moment");
  files = { ...first, cert: "-----BEGIN CERT" };
  assert.equal(current(), first, "half of a file");
  files = { ca: ca.cert, cert: renewed!.cert, key: renewed!.key };
  assert.equal(current(), files);
});

const selfPath = fileURLToPath(import.meta.url);
const one = makeSimple({ name: "one", isAuthority: true });
const other = makeSimple({ name: "other" });
const inline = (name: string, text: string): string => `${name}-bytes = '''${text}'''\n`;
const tlsOf = (section: string, ...lines: string[]) =>
  clusterTls(loadConfig({ file: { path: "x.toml", text: `[${section}]\n${lines.join("")}` } }));

const mistakes: readonly (readonly [what: string, lines: string[], message: RegExp])[] = [
  [
    "a certificate without its key",
    [inline("cert", one.cert)],
    /security\.cert-bytes is set without security\.key-path: a client/,
  ],
  ["a key alone", [inline("ca", one.cert), inline("key", one.key)], /key-bytes is set without security\.cert-path/],
  [
    "a key of another certificate",
    [inline("cert", one.cert), inline("key", other.key)],
    /the key of security\.key-bytes does not belong to the certificate of security\.cert-bytes/,
  ],
  ["an authority that is none", [inline("ca", "nonsense")], /security\.ca-bytes is no certificate in PEM form/],
  [
    "a file that holds none",
    [`ca-path = "${selfPath}"\n`],
    /security\.ca-path ".*tls-options\.test\.ts" is no certificate/,
  ],
  [
    "a certificate that is a key",
    [inline("cert", one.key), inline("key", one.key)],
    /cert-bytes is no certificate in PEM/,
  ],
  ["a key that is a certificate", [inline("cert", one.cert), inline("key", one.cert)], /key-bytes is no private key/],
];
for (const [what, lines, message] of mistakes) {
  test(`${what} is told before anything is asked`, () => {
    assert.throws(() => tlsOf("security", ...lines), { code: "Levin:Config:ErrInvalid", message });
  });
}

test("a certificate with its key, an authority alone, and nothing", () => {
  assert.equal(tlsOf("security", inline("cert", one.cert), inline("key", one.key))?.cert, `${one.cert}`);
  assert.equal(tlsOf("security", inline("ca", one.cert))?.key, undefined);
  assert.equal(tlsOf("lightning"), undefined);
});
