import { LevinError } from "../base/mod.ts";

/** A bucket, where it is and who asks. Names and defaults are those of BR's and Lightning's external storage addresses. */
export interface S3Options {
  bucket: string;
  /** Without slashes at its ends; "" for the whole bucket. */
  prefix: string;
  /** `http://host:port` of the store; undefined: AWS. */
  endpoint: string | undefined;
  region: string;
  /** The bucket as part of the path, not of the host. */
  pathStyle: boolean;
  /** Undefined: requests are not signed. */
  credentials: S3Credentials | undefined;
  /** Headers of every write: storage class, encryption at rest, ACL. */
  writeHeaders: Record<string, string>;
}

interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

const WRITE_HEADERS: Record<string, string> = {
  acl: "x-amz-acl",
  sse: "x-amz-server-side-encryption",
  "sse-kms-key-id": "x-amz-server-side-encryption-aws-kms-key-id",
  "storage-class": "x-amz-storage-class",
};

const KNOWN = new Set([
  "endpoint",
  "region",
  "access-key",
  "secret-access-key",
  "session-token",
  "force-path-style",
  "provider",
  ...Object.keys(WRITE_HEADERS),
]);

export type Environment = Readonly<Record<string, string | undefined>>;

function addressError(detail: string): LevinError {
  return new LevinError("Levin:Storage:ErrAddress", `Cannot use the storage address: ${detail}`);
}

/**
 * `s3://BUCKET/PREFIX?endpoint=…&region=…&access-key=…&secret-access-key=…&session-token=…&force-path-style=…&storage-class=…&sse=…
 * &sse-kms-key-id=…&acl=…`, what is missing taken from the AWS_ variables. Messages never repeat a value. Errors: Levin:Storage:ErrAddress.
 */
export function parseS3Address(address: string, environment: Environment): S3Options {
  const { bucket, prefix, parameters } = splitAddress(address);
  const value = (name: string): string | undefined => parameters.get(name) || undefined;
  const endpoint = endpointOf(
    value("endpoint") ?? environment["AWS_ENDPOINT_URL_S3"] ?? environment["AWS_ENDPOINT_URL"],
  );
  const forced = value("force-path-style");
  if (forced !== undefined && !/^(true|false|0|1)$/i.test(forced)) {
    throw addressError(`force-path-style must be true or false`);
  }
  // A name with dots is no single label of a certificate's host name.
  const pathStyle = forced === undefined ? endpoint !== undefined || bucket.includes(".") : /^(true|1)$/i.test(forced);
  const writeHeaders: Record<string, string> = {};
  for (const [name, header] of Object.entries(WRITE_HEADERS)) {
    const set = value(name);
    if (set !== undefined) writeHeaders[header] = set;
  }
  const region = value("region") ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? "us-east-1";
  return { bucket, prefix, endpoint, region, pathStyle, credentials: credentialsOf(value, environment), writeHeaders };
}

function splitAddress(address: string): { bucket: string; prefix: string; parameters: Map<string, string> } {
  const match = /^s3:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/i.exec(address);
  if (match === null) throw addressError("expected s3://BUCKET/PREFIX?NAME=VALUE&…");
  const [, bucket, path, query] = match;
  if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]+$/.test(bucket!)) throw addressError("a bucket's name is expected behind s3://");
  const parameters = new Map<string, string>();
  for (const [written, value] of new URLSearchParams(query ?? "")) {
    const name = written.toLowerCase().replaceAll("_", "-");
    if (!KNOWN.has(name))
      throw addressError(`the parameter "${name}" is not known; known are ${[...KNOWN].join(", ")}`);
    parameters.set(name, value);
  }
  let prefix: string;
  try {
    prefix = decodeURIComponent(path!).replace(/^\/+|\/+$/g, "");
  } catch {
    throw addressError("its path is not percent-encoded text");
  }
  if (prefix.split("/").some((part) => part === "." || part === ".."))
    throw addressError(`"." and ".." are no folders`);
  return { bucket: bucket!, prefix, parameters };
}

function endpointOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (!URL.canParse(text)) throw addressError("its endpoint is no address; expected http://HOST:PORT or https://HOST");
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol) || url.username !== "" || url.search !== "") {
    throw addressError("its endpoint must be http://HOST:PORT or https://HOST");
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function credentialsOf(
  value: (name: string) => string | undefined,
  environment: Environment,
): S3Credentials | undefined {
  const accessKeyId = value("access-key");
  const secretAccessKey = value("secret-access-key");
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw addressError("access-key and secret-access-key belong together");
  }
  if (accessKeyId !== undefined) {
    return { accessKeyId, secretAccessKey: secretAccessKey!, sessionToken: value("session-token") };
  }
  const id = environment["AWS_ACCESS_KEY_ID"] ?? environment["AWS_ACCESS_KEY"];
  const secret = environment["AWS_SECRET_ACCESS_KEY"] ?? environment["AWS_SECRET_KEY"];
  if (!id || !secret) return undefined;
  return { accessKeyId: id, secretAccessKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"] || undefined };
}
