/** X.509 certificates for the sandbox's own authority, written in DER here, so that no program has to be there to make them. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { isIPv4 } from "node:net";
import type { Clock, Random } from "../base/mod.ts";

export interface Identity {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS 8. */
  readonly key: string;
  readonly name: string;
  readonly privateKey: KeyObject;
}

export interface CertificateOptions {
  readonly clock: Clock;
  /** For the serial number. */
  readonly random: Random;
  /** Common name. */
  readonly name: string;
  /** Who signs it; itself when undefined. */
  readonly issuer?: Identity;
  readonly isAuthority?: boolean;
  /** Names and IPv4 addresses of a server. */
  readonly hosts?: readonly string[];
  /** Validity around now. */
  readonly fromDays: number;
  readonly toDays: number;
}

const OID = {
  commonName: [0x55, 0x04, 0x03],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  basicConstraints: [0x55, 0x1d, 0x13],
  subjectAltName: [0x55, 0x1d, 0x11],
};
const DAY_MS = 86_400_000;

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const sequence = (...parts: Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (bytes: number[]): Buffer => der(0x06, Buffer.from(bytes));
const algorithm = (): Buffer => sequence(oid(OID.ecdsaWithSha256));
const nameOf = (text: string): Buffer =>
  sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(text)))));

function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]/g, "").slice(2, 14);
  return der(0x17, Buffer.from(`${text}Z`));
}

function extensions({ isAuthority = false, hosts = [] }: CertificateOptions): Buffer {
  const yes = der(0x01, Buffer.from([0xff]));
  const list = [sequence(oid(OID.basicConstraints), yes, der(0x04, isAuthority ? sequence(yes) : sequence()))];
  const names = hosts.map((host) =>
    isIPv4(host) ? der(0x87, Buffer.from(host.split(".").map(Number))) : der(0x82, Buffer.from(host)),
  );
  if (names.length > 0) list.push(sequence(oid(OID.subjectAltName), der(0x04, sequence(...names))));
  return der(0xa3, sequence(...list));
}

/** A certificate on curve P-256 with its key. */
export function makeCertificate(options: CertificateOptions): Identity {
  const { clock, random, name, issuer, fromDays, toDays } = options;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const serial = new Uint8Array(9);
  random.fill(serial);
  serial[0] = 1;
  const now = clock.nowMs();
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm(),
    nameOf(issuer?.name ?? name),
    sequence(time(now + fromDays * DAY_MS), time(now + toDays * DAY_MS)),
    nameOf(name),
    publicKey.export({ type: "spki", format: "der" }),
    extensions(options),
  );
  const signature = sign("sha256", body, issuer?.privateKey ?? privateKey);
  const text = sequence(body, algorithm(), der(0x03, Buffer.from([0]), signature)).toString("base64");
  const lines = text.match(/.{1,64}/g)!.join("\n");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    name,
    privateKey,
  };
}
