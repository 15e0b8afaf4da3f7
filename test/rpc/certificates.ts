import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** X.509 certificates for tests, written by hand in DER, so that no program has to be there to make them. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
  readonly name: string;
  readonly privateKey: KeyObject;
}

export interface CertificateOptions {
  readonly name: string;
  /** Who signs it; itself when undefined. */
  readonly issuer?: Identity;
  readonly isAuthority?: boolean;
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  /** Validity around now, in days. */
  readonly fromDays?: number;
  readonly toDays?: number;
}

const OID = {
  commonName: [0x55, 0x04, 0x03],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  basicConstraints: [0x55, 0x1d, 0x13],
  subjectAltName: [0x55, 0x1d, 0x11],
};

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
const oid = (bytes: number[]) => der(0x06, Buffer.from(bytes));
const algorithm = () => sequence(oid(OID.ecdsaWithSha256));
const nameOf = (text: string) => sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(text)))));

function time(days: number): Buffer {
  const date = new Date(Date.now() + days * 86_400_000);
  return der(0x17, Buffer.from(`${date.toISOString().replaceAll(/[-:T]/g, "").slice(2, 14)}Z`));
}

function extensions(options: CertificateOptions): Buffer {
  const critical = der(0x01, Buffer.from([0xff]));
  const constraints = options.isAuthority ? sequence(der(0x01, Buffer.from([0xff]))) : sequence();
  const list = [sequence(oid(OID.basicConstraints), critical, der(0x04, constraints))];
  const names = [
    ...(options.dnsNames ?? []).map((name) => der(0x82, Buffer.from(name))),
    ...(options.addresses ?? []).map((address) => der(0x87, Buffer.from(address.split(".").map(Number)))),
  ];
  if (names.length > 0) list.push(sequence(oid(OID.subjectAltName), der(0x04, sequence(...names))));
  return der(0xa3, sequence(...list));
}

export function makeCertificate(options: CertificateOptions): Identity {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const serial = Buffer.from([1, ...crypto.getRandomValues(new Uint8Array(8))]);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm(),
    nameOf(options.issuer?.name ?? options.name),
    sequence(time(options.fromDays ?? -1), time(options.toDays ?? 1)),
    nameOf(options.name),
    publicKey.export({ type: "spki", format: "der" }),
    extensions(options),
  );
  const signature = sign("sha256", body, options.issuer?.privateKey ?? privateKey);
  const certificate = sequence(body, algorithm(), der(0x03, Buffer.from([0]), signature));
  const lines = certificate
    .toString("base64")
    .match(/.{1,64}/g)!
    .join("\n");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    name: options.name,
    privateKey,
  };
}
