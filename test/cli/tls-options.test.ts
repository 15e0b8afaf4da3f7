import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, systemClock } from "../../src/base/mod.ts";
import { currentOf } from "../../src/cli/tls-options.ts";
import { makeCertificate } from "../../src/embed/mod.ts";

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
